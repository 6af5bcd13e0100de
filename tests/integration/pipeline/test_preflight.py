"""The check of a whole batch: where scenes can run, what is missing, and what mends it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.integration.agent.test_agent import made, running
from tests.integration.catalogue.test_checks import add_worker, load_styled, specs
from x121lib import model as m
from x121lib.base.errors import ForbiddenError
from x121lib.pipeline.submission import Selection
from x121lib.studio import Studio
from x121lib.studio.checks import preflight_rows
from x121lib.studio.mending import Step
from x121lib.terms.roles import ROLE_PERMISSIONS, Actor
from x121lib.terms.vocabulary import RoleName, WorkerStatus
from x121lib.testing.fake_nvml import FakeNvml
from x121lib.testing.small_studio import write_recipe


@pytest.mark.capability("OVR/pre-run-workflow-health-check-of-loras-and-nodes")
def test_each_scene_type_is_told_with_where_it_runs_and_what_is_missing(stocked: Studio, tmp_path: Path) -> None:
    said = specs(tmp_path)
    add_worker(stocked, "full", said, "soft.safetensors")
    add_worker(stocked, "poor", {k: v for k, v in said.items() if k != "LoadStyle"})
    add_worker(stocked, "mute", None)
    load_styled(stocked, tmp_path / "r", lora_style="soft.safetensors")
    found = stocked.checks.project("Aurora")
    styled, sway = found.groups
    assert (found.fine, found.blocked, found.held, found.disk_bytes) == (True, (), "", None)
    assert (sway.scene_type, sway.ready, sway.lacking) == ("sway", ("full", "mute", "poor"), ())
    assert (styled.ready, styled.unknown, styled.reason) == (("full", "mute"), ("mute",), "")
    assert [(w.worker, [str(x) for x in w.lacks]) for w in styled.lacking] == [
        ("poor", ["node class LoadStyle (pack Lora-Pack)", "model loras/soft.safetensors"])
    ]
    assert len(styled.scenes) == 2
    stocked.workers.remove("mute")
    stocked.workers.drain("full")
    (stuck,) = stocked.checks.project("Aurora", Selection(scene_types=("styled",))).stuck
    assert stuck.away == ("full (draining)",)
    assert stuck.reason.endswith("are only on full, which is draining.")


def test_blocked_scenes_are_told_with_their_reason_and_made_ones_are_left_out(reviewed: Studio) -> None:
    found = reviewed.checks.project("Aurora")
    assert {group.scene_type for group in found.groups} <= {"idle"}
    assert sum(len(b.scenes) for b in found.blocked) > 0
    assert all("image" in b.reason for b in found.blocked)
    assert not found.fine
    assert found.disk_bytes is None or found.disk_bytes > 0


@pytest.mark.capability("OVR/pre-run-workflow-health-check-of-loras-and-nodes")
def test_what_can_be_mended_is_planned_and_each_step_done_by_itself(stocked: Studio, tmp_path: Path) -> None:
    said = specs(tmp_path)
    add_worker(stocked, "full", said, "soft.safetensors")
    add_worker(stocked, "poor", {k: v for k, v in said.items() if k != "LoadStyle"})
    load_styled(stocked, tmp_path / "r", lora_style="soft.safetensors")
    with stocked.transaction() as session:
        session.execute(sa.update(m.Worker).where(m.Worker.name == "full").values(status_id=WorkerStatus.DRAINING))
    (tmp_path / "own" / "loras").mkdir(parents=True)
    (tmp_path / "own" / "loras" / "soft.safetensors").write_bytes(b"weights of a style")
    for folder in ("models", "packs"):
        (tmp_path / folder).mkdir()
    stocked.models.scan(tmp_path / "own")
    assert stocked.checks.plan(stocked.checks.project("Aurora")) == (Step("read"),), "no host has an agent"
    pack = {"repo": "https://127.0.0.1:9/who/lora-pack.git", "commit": "0" * 40}
    given = made(tmp_path, models=tmp_path / "models", receive_models=True, node_packs=tmp_path / "packs",
                 packs={"styles": pack})  # fmt: skip
    with running(given, FakeNvml()) as (url, key):
        stocked.agents.attach("poor", url, key)
        found = stocked.checks.project("Aurora")
        steps = stocked.checks.plan(found)
        assert [str(step) for step in steps] == [
            "ask the workers again for what they have", "install pack styles on poor",
            "send model loras/soft.safetensors to poor",
        ]  # fmt: skip
        assert preflight_rows(found, steps)["steps"][2]["name"] == "loras/soft.safetensors"
        creator = stocked.as_actor(Actor(None, "Cleo", ROLE_PERMISSIONS[RoleName.CREATOR]))
        assert creator.checks.plan(found) == (Step("read"),)
        with pytest.raises(ForbiddenError):
            creator.checks.fix(steps)
        done = stocked.checks.fix(steps[1:])
    assert [(one.step.kind, one.ok) for one in done] == [("install", False), ("send", True)]
    assert done[1].text == "loras/soft.safetensors is on its way to poor"
    assert list(stocked.placements.list()["worker"]) == ["poor"]


def test_who_watches_is_told_that_nothing_can_start(equipped: Studio, tmp_path: Path) -> None:
    equipped.load_scene_type(write_recipe(tmp_path, "broken", fault="unknown"))
    equipped.work.read_capabilities()
    batch = equipped.project("Aurora").submit(scene_types=["broken"])
    assert batch.progress().held == "No worker has node class NoServerHasThis."
    equipped.project("Aurora").submit(scene_types=["sway"])
    assert batch.progress().held == "", "something else can"
