"""The rows that every studio starts with. Idempotent; nothing that a studio changed is touched."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m

TIERS = (("Draft", False, 0.5), ("Preview", False, 0.75), ("Production", True, 1.0))
"""Quality tiers, whether they are deliverable, and the scale of their size and steps."""
FAILURE_TAGS = ("face drift", "seam", "motion", "hands", "colour", "flicker", "anatomy", "clothing", "background")
"""Reasons that a reviewer can pick."""
DEFAULT_KIND = "clothed"
"""Variant kind of an imported image whose name says nothing else."""


def ensure_defaults(session: Session) -> None:
    """Write the default tiers, variant kind, transition mode and reasons where the studio has none."""
    if session.scalar(sa.select(sa.func.count()).select_from(m.Tier)) == 0:
        session.add_all(
            m.Tier(name=name, is_deliverable=ok, sort_order=i, resolution_scale=scale, steps_scale=scale)
            for i, (name, ok, scale) in enumerate(TIERS, start=1)
        )
    if session.scalar(sa.select(sa.func.count()).select_from(m.VariantKind)) == 0:
        session.add(m.VariantKind(name=DEFAULT_KIND, filename_prefix="", is_source=True, sort_order=1))
    if session.scalar(sa.select(sa.func.count()).select_from(m.TransitionMode)) == 0:
        session.add(m.TransitionMode(name="normal", filename_suffix=""))
    if session.scalar(sa.select(sa.func.count()).select_from(m.FailureTag)) == 0:
        session.add_all(m.FailureTag(name=name, sort_order=i) for i, name in enumerate(FAILURE_TAGS, start=1))
    session.flush()
