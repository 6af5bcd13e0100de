"""Dry runs: a workflow tried with a neutral picture on one worker, outside of any project."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path

import pytest

from tests.integration.catalogue.test_checks import add_worker
from x121lib.base.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from x121lib.comfyui.slots import Slot
from x121lib.media.sample import SAMPLE_SIZE, sample_portrait
from x121lib.pipeline.dry_run import few, likeness_of
from x121lib.studio import Studio
from x121lib.terms.roles import ROLE_PERMISSIONS, Actor
from x121lib.terms.vocabulary import RoleName, SlotType
from x121lib.testing.small_studio import NEW_FRAMES, write_recipe


@pytest.mark.capability("PRD-75/dry-run-test")
def test_a_workflow_is_tried_to_its_end_and_production_asks_for_that(equipped: Studio) -> None:
    equipped.workflows.set_status("sway_graph", "Tested")
    with pytest.raises(ConflictError, match="has never run to its end"):
        equipped.workflows.set_status("sway_graph", "Production")
    heard: list[float] = []
    done = equipped.trials.run("sway_graph", on_progress=heard.append)
    assert (done["status"], done["worker"], done["error_message"]) == ("complete", "engine 1", "")
    assert (done["codec"], done["width"], done["height"], done["n_frames"]) == ("h264", 256, 320, NEW_FRAMES + 1)
    assert done["first_frame_ssim"] > 0.95, "the tiny workflow begins with the picture"
    assert done["run_s"] > 0
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert equipped.queue().empty, "nothing of the queue is touched"
    equipped.workflows.set_status("sway_graph", "Production")


def test_a_draft_that_ran_is_offered_the_next_status(equipped: Studio) -> None:
    done = equipped.trials.run("sway_graph", worker="engine 1")
    assert done["next_status"] == "Tested"
    equipped.workflows.set_status("sway_graph", "Tested")
    assert list(equipped.trials.list("sway_graph")["next_status"]) == [""]
    picture = equipped.trials.run("evening")
    assert (picture["codec"], picture["n_frames"], picture["first_frame_ssim"]) == ("png", 1, None)
    assert list(equipped.trials.list()["workflow"]) == ["evening", "sway_graph"]


def test_what_can_not_run_is_refused_before_and_what_fails_says_why(equipped: Studio, tmp_path: Path) -> None:
    write_recipe(tmp_path, "odd", fault="unknown")
    equipped.import_workflow(tmp_path / "odd_graph.json")
    with pytest.raises(RefusedError, match="engine 1 lacks node class NoServerHasThis"):
        equipped.trials.run("odd_graph", worker="engine 1")
    with pytest.raises(RefusedError, match="No worker that is online has all"):
        equipped.trials.run("odd_graph")
    assert equipped.trials.list().empty, "nothing was begun"
    add_worker(equipped, "gone", None)
    failed = equipped.trials.run("sway_graph", worker="gone")
    assert failed["status"] == "failed"
    assert failed["error_message"]
    viewer = equipped.as_actor(Actor(None, "Vera", ROLE_PERMISSIONS[RoleName.REVIEWER]))
    with pytest.raises(ForbiddenError):
        viewer.trials.run("sway_graph")
    with pytest.raises(NotFoundError):
        equipped.trials.cancel(uuid.UUID(int=1))


def test_a_dry_run_is_cancelled_while_it_runs_and_only_once_at_a_time_on_a_worker(
    equipped: Studio, tmp_path: Path
) -> None:
    write_recipe(tmp_path, "long", fault="slow")
    equipped.import_workflow(tmp_path / "long_graph.json")
    begun = threading.Event()
    beside: list[str] = []

    def cancel() -> None:
        assert begun.wait(20)
        with pytest.raises(ConflictError, match="being tried on engine 1"):
            equipped.trials.run("long_graph")
        equipped.trials.cancel(equipped.trials.list("long_graph")["trial_id"][0])
        beside.append(equipped.trials.run("sway_graph")["status"])

    other = threading.Thread(target=cancel)
    other.start()
    done = equipped.trials.run("long_graph", on_progress=lambda fraction: begun.set())
    other.join()
    assert (done["status"], done["next_status"]) == ("cancelled", "")
    assert beside == ["complete"], "another prompt on that server is not touched"
    with pytest.raises(ConflictError, match="over already"):
        equipped.trials.cancel(done["trial_id"])


def test_frames_and_steps_are_few_within_their_bounds() -> None:
    def slot(input_name: str, default: int, minimum: float | None = None) -> Slot:
        return Slot(f"{input_name}_1", "1", input_name, SlotType.INT, default, minimum)

    slots = [slot("steps", 30, 1), slot("length", 97, 1), slot("video_frames", 5), slot("num_frames", 81, 17)]
    assert few([*slots, slot("seed", 99)]) == {"steps_1": 4, "length_1": 9}
    picture = sample_portrait()
    assert picture.shape == (SAMPLE_SIZE[1], SAMPLE_SIZE[0], 3)
    assert likeness_of(picture[64:-64], picture) > 0.99, "cropped to another shape"
    assert likeness_of(picture[:, ::-1].copy(), sample_portrait()[::-1].copy()) < 0.9
