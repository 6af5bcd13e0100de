"""Handles, data frames and the actors behind them."""

from __future__ import annotations

import pytest

from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from x121lib.studio import Studio
from x121lib.terms.roles import Actor


@pytest.mark.capability("PRD-01/project")
def test_projects_are_named_once_whatever_the_case(stocked: Studio) -> None:
    stocked.create_project("Borealis", tier="draft")
    assert list(stocked.projects()["project"]) == ["Aurora", "Borealis"]
    assert stocked.project("borealis").name == "Borealis"
    with pytest.raises(ConflictError, match="'Borealis' already"):
        stocked.create_project("  BOREALIS ")
    with pytest.raises(InvalidInputError):
        stocked.create_project("  ")
    with pytest.raises(NotFoundError, match="Aurora, Borealis"):
        stocked.project("Cassiopeia")


def test_frames_say_what_was_made(reviewed: Studio) -> None:
    project = reviewed.project("Aurora")
    frame = project.scenes().set_index(["character", "scene_type"])
    assert dict(frame["status"]) == dict.fromkeys(frame.index, "In review")
    assert frame.loc[("Aiko", "idle"), "frames"] == 145
    assert (frame.loc[("Lena", "sway"), "segments_done"], frame.loc[("Lena", "sway"), "segments"]) == (3, 3)
    scores = project.scene("Aiko", "idle", "clothed").scores()
    seams = scores[scores["metric"] == "seam_ssim"]
    assert list(seams["segment"]) == [2, 3]
    assert (seams["value"] > 0.9).all()
    faces = scores[scores["metric"] == "face_similarity"]
    assert len(faces) == 3
    assert project.summary() == {"In review": 3}


def test_displays_escape_what_people_wrote(stocked: Studio) -> None:
    project = stocked.create_project("<b>Bold</b>")
    assert "<b>Bold" not in project._repr_html_()
    assert "&lt;b&gt;" in project._repr_html_()


def test_a_reviewer_sees_but_changes_nothing(stocked: Studio, reviewer: Actor) -> None:
    seen = stocked.as_actor(reviewer)
    assert list(seen.projects()["project"]) == ["Aurora"]
    for step in (
        lambda: seen.create_project("Mine"),
        lambda: seen.project("Aurora").submit(),
        lambda: seen.project("Aurora").make_variants("evening"),
        lambda: seen.add_variant_kind("noir", prefix="noir_"),
    ):
        with pytest.raises(ForbiddenError):
            step()
    assert stocked.queue().empty


def test_a_scene_that_was_never_submitted_is_said_to_be_so(stocked: Studio) -> None:
    with pytest.raises(NotFoundError, match="never submitted"):
        stocked.project("Aurora").scene("Aiko", "sway", "clothed")
