"""Fair shares of GPU time, as the façade offers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from x121lib.access.queries import find_person_by_email
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.catalogue import queries as catalogue
from x121lib.scheduling import shares
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

COLUMNS = ["scope", "name", "weight", "used", "fair", "excess"]


class FairShares:
    """Who used how much of the GPU time of the last 24 hours, what is fair, and the weights that say so."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def list(self) -> pd.DataFrame:
        """Return one row per project and person: weight, and parts from 0 to 1 that are used and fair."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            rows = shares.listing(session, self._studio.house.now())
        data = [(scope, name, weight, s.used, s.fair, s.excess) for scope, name, weight, s in rows]
        return pd.DataFrame(data, columns=COLUMNS)

    def set(self, weight: float, *, project: str | None = None, person: str | None = None) -> None:
        """Set the weight of a project's or person's share; 1 is everybody's.

        Raises:
            InvalidInputError: not exactly one of them, or a weight outside 0.01 to 1000.
            NotFoundError: no such project, or nobody with that e-mail address.
        """
        if (project is None) == (person is None):
            raise InvalidInputError("Say whose share it is.", hint="One project or one person.")
        with self._studio.transaction() as session:
            project_id = catalogue.project(session, project).id if project is not None else None
            found = find_person_by_email(session, person) if person is not None else None
            if person is not None and found is None:
                raise NotFoundError(f"Nobody has the address '{person}'.", hint="'x121 person list'.")
            person_id = found.id if found is not None else None
            shares.set_weight(session, self._studio.actor, weight, project_id=project_id, person_id=person_id)
