"""The panel of the retake policies: which takes are made again by themselves, beside the triggers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.generation.retakes import Policy
from x121lib.pipeline import retake_policies
from x121lib.studio.pages.desk import Desk
from x121lib.terms.roles import Permission


def panel(desk: Desk) -> dict[str, Any]:
    """Return every retake policy, and what a form for one offers."""

    def names(column: Any) -> list[str]:
        return list(desk.session.scalars(sa.select(column).order_by(column)))

    return {
        "rows": [{"scope": scope, "name": name, **written(policy)}
                 for scope, name, policy in retake_policies.listing(desk.session)],
        "projects": names(m.Project.name), "scene_types": names(m.SceneType.name), "metrics": names(m.Metric.name),
        "most": retake_policies.MOST_RETAKES,
        "may": {"project": desk.may(Permission.MANAGE_PROJECTS), "scene type": desk.may(Permission.MANAGE_RECIPES)},
    }  # fmt: skip


def written(policy: Policy) -> dict[str, Any]:
    """Return a policy in the form in which the page shows it and sends it back."""
    return {
        "most": policy.most_retakes, "best_of": policy.best_of, "gates": sorted(policy.metrics),
        "vary": [f"{slot}={spread:g}" for slot, spread in policy.spreads.items()], "phrases": list(policy.phrases),
    }  # fmt: skip
