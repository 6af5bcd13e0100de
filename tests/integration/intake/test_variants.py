"""Image variants: made by a workflow, checked for likeness, approved by a person."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import ForbiddenError, NotFoundError, RefusedError
from x121lib.studio import Studio
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import VerdictOutcome
from x121lib.testing.small_studio import drive


@pytest.mark.capability("PRD-21/variant-generation", "PRD-21/variant-selection", "PRD-22/likeness-comparison",
                        "PRD-01/derived-images", "PRD-21/variant-registry")  # fmt: skip
def test_a_variant_is_made_once_checked_and_approved(equipped: Studio) -> None:
    project = equipped.project("Aurora")
    assert project.make_variants("evening", characters=["Aiko"]) == 1
    assert project.make_variants("evening", characters=["Aiko"]) == 0, "it is queued already"
    drive(equipped)
    row = project.variants().set_index(["character", "kind"]).loc[("Aiko", "evening")]
    assert row["status"] == "Generated"
    checks = project.image_checks().query("kind == 'evening'").set_index("check")
    assert "likeness" in checks.index
    assert equipped.house.faces.name in checks.loc["likeness", "reason"]
    assert project.approve_variants("evening", characters=["Aiko"]) == ["Aiko"]
    assert project.make_variants("evening", characters=["Aiko"]) == 0
    with equipped.transaction() as session:
        receipt = session.scalars(
            sa.select(m.Receipt).join(m.ImageVersion, m.ImageVersion.receipt_id == m.Receipt.id)
        ).one()
    assert receipt.server_version.startswith("0.26")


def test_an_image_that_failed_its_checks_is_not_approved(equipped: Studio) -> None:
    project = equipped.project("Aurora")
    project.make_variants("evening", characters=["Aiko"])
    drive(equipped)
    with equipped.transaction() as session:
        version = sa.select(m.ImageVersion.id).where(m.ImageVersion.receipt_id.is_not(None))
        session.execute(
            sa.update(m.ImageCheck)
            .where(m.ImageCheck.image_version_id.in_(version), m.ImageCheck.name == "likeness")
            .values(outcome_id=VerdictOutcome.FAIL)
        )
    with pytest.raises(RefusedError, match="failed its checks: Likeness"):
        project.approve_variants("evening", characters=["Aiko"])


def test_what_can_not_be_made_or_approved_is_said(stocked: Studio, reviewer: Actor) -> None:
    project = stocked.project("Aurora")
    with pytest.raises(NotFoundError, match="Lena has no image of kind 'evening'"):
        project.approve_variants("evening", characters=["Lena"])
    with pytest.raises(NotFoundError, match="version 7"):
        project.approve_variants("clothed", characters=["Lena"], version=7)
    with pytest.raises(RefusedError, match="no workflow"):
        project.make_variants("clothed")
    with pytest.raises(ForbiddenError):
        stocked.as_actor(reviewer).project("Aurora").approve_variants("clothed")
