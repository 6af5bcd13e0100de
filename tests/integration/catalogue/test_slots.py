"""The slots of a workflow: they are rows that count, and follow their nodes into the next version."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, RefusedError
from x121lib.catalogue.slots import slots_of
from x121lib.comfyui.errors import SlotError
from x121lib.comfyui.slots import bind
from x121lib.generation import service as generation
from x121lib.intake import variants
from x121lib.models import usage
from x121lib.scheduling import fitness, workers
from x121lib.studio import Studio
from x121lib.terms.roles import ROLE_PERMISSIONS, Actor
from x121lib.terms.vocabulary import RoleName
from x121lib.testing.small_studio import tiny_graph, write_recipe

FLOW = "sway_graph"


def load(studio: Studio, folder: Path, slots: dict[str, Any], change: Callable[[Any], None] | None = None) -> None:
    """Load *sway* with values for slots, its graph changed first."""
    lines = ", ".join(f"{key} = {json.dumps(value)}" for key, value in slots.items())
    path = write_recipe(folder, "sway", slots=f"{{{lines}}}")
    if change is not None:
        graph = tiny_graph()
        change(graph)
        (folder / f"{FLOW}.json").write_text(json.dumps(graph))
    studio.load_scene_type(path)


def orders(studio: Studio) -> list[generation.TakeOrder]:
    """Submit *sway* of Aiko and return the order of its first take."""
    studio.project("Aurora").submit(scene_types=["sway"], characters=["Aiko"])
    with studio.transaction() as session:
        query = sa.select(m.GpuTask).where(m.GpuTask.after_task_id.is_(None), m.GpuTask.take_id.is_not(None))
        return [generation.build_order(session, task) for task in session.scalars(query.order_by(m.GpuTask.id.desc()))]


def bound(order: generation.TakeOrder) -> Any:
    """Return the graph that a server would get, without the pictures."""
    names = {slot.name for slot in order.slots if not slot.is_hidden}
    return bind(order.graph, order.slots, {k: v for k, v in order.values.items() if k in names})


@pytest.mark.capability("PRD-75/parameter-discovery")
def test_a_renamed_and_an_added_slot_work_and_a_hidden_one_can_not_be_set(stocked: Studio, tmp_path: Path) -> None:
    flows = stocked.workflows
    assert set(flows.slots(FLOW)["slot"]) == {"seed_image", "seed", "frame_rate", "filename_prefix"}
    assert flows.add_slot(FLOW, "7", "blend_factor", name="grain", minimum=0, maximum=0.5) == "grain"
    load(stocked, tmp_path, {"grain": 0.2, "frame_rate": 24})
    assert flows.change_slot(FLOW, "grain", {"name": "noise"}) == {"name": "grain"}
    flows.change_slot(FLOW, "noise", {"label": "Film grain"})
    with pytest.raises(RefusedError, match="'noise' can not be hidden: scene type 'sway' sets it"):
        flows.change_slot(FLOW, "noise", {"is_hidden": True})
    (order,) = orders(stocked)
    graph = bound(order)
    assert (graph["7"]["inputs"]["blend_factor"], graph["9"]["inputs"]["fps"]) == (0.2, 24)
    row = flows.slots(FLOW).set_index("slot").loc["noise"]
    assert (row["label"], row["set_by"], row["is_added"], row["range"]) == (
        "Film grain", "scene type 'sway'", True, "0 to 0.5")  # fmt: skip
    for slots, words in (
        ({"noise": 0.6}, "noise takes 0 to 0.5, not 0.6"), ({"grain": 0.2}, "no slot grain"),
        ({"noise": "much"}, "noise takes a number"),
    ):  # fmt: skip
        with pytest.raises(InvalidInputError, match=words) as refusal:
            load(stocked, tmp_path, slots)
        assert "sway.toml" in str(refusal.value)
    load(stocked, tmp_path, {"frame_rate": 24})
    with pytest.raises(RefusedError, match=r"noise.*can not be removed: scene type 'sway'"):
        flows.remove_slot(FLOW, "noise")


@pytest.mark.capability("PRD-75/parameter-discovery")
def test_a_hidden_slot_is_refused_and_its_default_is_sent(stocked: Studio, tmp_path: Path) -> None:
    flows = stocked.workflows
    before = flows.change_slot(FLOW, "frame_rate", {"default": "30", "is_hidden": True})
    assert before == {"default": None, "is_hidden": False}
    with pytest.raises(InvalidInputError, match="Slot frame_rate is hidden and can not be set"):
        load(stocked, tmp_path, {"frame_rate": 24})
    (order,) = orders(stocked)
    assert bound(order)["9"]["inputs"]["fps"] == 30
    hashed = generation.request_hash("x", order)
    with stocked.transaction() as session, pytest.raises(SlotError, match="hidden"):
        generation.check_overrides(session, stocked.actor, order.take_id, {"frame_rate": 12})
    flows.change_slot(FLOW, "frame_rate", before)
    (again,) = orders(stocked)
    assert bound(again)["9"]["inputs"]["fps"] == 24
    assert generation.request_hash("x", again) != hashed, "another default is another result"
    with pytest.raises(RefusedError, match="filled by X121 itself"):
        flows.change_slot(FLOW, "seed_image", {"is_hidden": True})


@pytest.mark.parametrize(
    ("slot", "changes", "words"),
    [
        ("frame_rate", {"default": 500}, "frame_rate takes 1 to 120, not 500"),
        ("frame_rate", {"default": "fast"}, "frame_rate takes 1 to 120, not 'fast'"),
        ("frame_rate", {"minimum": 9, "maximum": 3}, "9 to 3.* is no range"),
        ("frame_rate", {"step": 0}, "step must be above 0"),
        ("frame_rate", {"minimum": float("nan")}, "minimum must be a number"),
        ("frame_rate", {"name": "Frame Rate"}, "can be no slot's name"),
        ("frame_rate", {"name": "seed"}, "There is a slot 'seed' already"),
        ("frame_rate", {"colour": 1}, "has no 'colour'"),
        ("filename_prefix", {"minimum": 1}, "takes no number"),
        ("frame_rat", {"label": "x"}, "no slot 'frame_rat'.*It has: filename_prefix"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(
    stocked: Studio, slot: str, changes: dict[str, Any], words: str
) -> None:
    before = stocked.workflows.slots(FLOW).to_dict("records")
    with pytest.raises((InvalidInputError, ConflictError, NotFoundError), match=words):
        stocked.workflows.change_slot(FLOW, slot, changes)
    assert stocked.workflows.slots(FLOW).to_dict("records") == before


def test_an_input_that_is_no_slot_is_refused(stocked: Studio) -> None:
    for node, name, words in (
        ("99", "x", "no node 99"), ("7", "x", r"node 7 \(ImageBlend\) has no input 'x'.*blend_factor"),
        ("7", "image1", "takes no plain value"), ("4", "seed", "is the slot 'seed' already"),
    ):  # fmt: skip
        with pytest.raises((NotFoundError, InvalidInputError, ConflictError), match=words):
            stocked.workflows.add_slot(FLOW, node, name)
    with pytest.raises(RefusedError, match="Hide it instead"):
        stocked.workflows.remove_slot(FLOW, "seed")
    with pytest.raises(NotFoundError, match="It has 1 to 1"):
        stocked.workflows.slots(f"{FLOW}@7")
    reviewer = stocked.as_actor(Actor(None, "Rita", ROLE_PERMISSIONS[RoleName.REVIEWER]))
    assert len(reviewer.workflows.slots(f"{FLOW}@1")) == 4
    for act in (lambda: reviewer.workflows.change_slot(FLOW, "seed", {"label": "x"}),
                lambda: reviewer.workflows.add_slot(FLOW, "7", "blend_factor"),
                lambda: reviewer.workflows.remove_slot(FLOW, "seed")):  # fmt: skip
        with pytest.raises(ForbiddenError):
            act()


@pytest.mark.capability("PRD-75/parameter-discovery")
def test_ranges_come_from_what_a_worker_says_also_in_api_form(equipped: Studio, tmp_path: Path) -> None:
    path = tmp_path / "ranged.json"
    path.write_text(json.dumps(tiny_graph()))
    equipped.workflows.import_file(path)
    row = equipped.workflows.slots("ranged").set_index("slot").loc["frame_rate"]
    assert (row["minimum"], row["maximum"], row["step"], row["class_default"]) == (1.0, 120.0, 1.0, 30.0)
    equipped.workflows.add_slot("ranged", "2", "upscale_method")
    row = equipped.workflows.slots("ranged").set_index("slot").loc["upscale_method"]
    assert (row["type"], "lanczos" in row["choices"]) == ("choice", True)
    with pytest.raises(SlotError, match=r"upscale_method takes one of .*, not 'sharp'"):
        equipped.workflows.change_slot("ranged", "upscale_method", {"default": "sharp"})
    spec = {"CreateVideo": {"input": {"required": {"fps": ["FLOAT", {"min": 5, "max": 60}]}}}}
    with equipped.transaction() as session:
        key = session.scalars(sa.select(m.Worker.id)).one()
        workers.record_capabilities(session, key, spec, frozenset(), equipped.house.now())
    assert equipped.workflows.describe_slots("ranged") == 1
    assert equipped.workflows.slots("ranged").set_index("slot").loc["frame_rate", "range"] == "5 to 60"


@pytest.mark.capability("PRD-75/version-management")
def test_slots_follow_their_nodes_into_the_next_version_and_lost_ones_are_named(
    stocked: Studio, tmp_path: Path
) -> None:
    flows = stocked.workflows
    flows.add_slot(FLOW, "7", "blend_factor", name="grain")
    flows.change_slot(FLOW, "frame_rate", {"name": "rate", "default": 12.0})
    load(stocked, tmp_path, {"grain": 0.2})

    def renumber(graph: Any) -> None:
        graph["70"] = graph.pop("7")
        graph["8"]["inputs"]["image2"] = ["70", 0]

    graph = tiny_graph()
    renumber(graph)
    (tmp_path / f"{FLOW}.json").write_text(json.dumps(graph))
    done = flows.import_file(tmp_path / f"{FLOW}.json", repeats_seed_frame=True)
    assert (done.number, done.is_new, done.lost) == (2, True, ())
    rows = flows.slots(FLOW).set_index("slot")
    assert (rows.loc["grain", "node"], bool(rows.loc["grain", "is_added"])) == ("70", True)
    assert (rows.loc["rate", "default"], bool(rows.loc["rate", "own_default"])) == (12.0, True)
    graph["70"]["inputs"].pop("blend_factor")
    (tmp_path / f"{FLOW}.json").write_text(json.dumps(graph))
    done = flows.import_file(tmp_path / f"{FLOW}.json", repeats_seed_frame=True)
    assert done.lines == ["Slot 'grain' is lost: node 70 (ImageBlend) has no blend_factor any more."]
    assert done.users == ("scene type 'sway'",)
    assert flows.upgrade("sway", version=2).after == 2
    with pytest.raises(ConflictError, match=r"has no slot grain, which 'sway' sets \(grain: node 70"):
        flows.upgrade("sway")
    assert flows.slots(f"{FLOW}@2").set_index("slot").loc["grain", "set_by"] == "scene type 'sway'"


@pytest.mark.capability("PRD-75/version-management")
def test_an_upgrade_takes_values_along_and_refuses_what_does_not_fit(stocked: Studio, tmp_path: Path) -> None:
    flows = stocked.workflows
    load(stocked, tmp_path, {"frame_rate": 100})
    (tmp_path / f"{FLOW}.json").write_text(json.dumps(tiny_graph("slow")))
    flows.import_file(tmp_path / f"{FLOW}.json", repeats_seed_frame=True)
    flows.change_slot(f"{FLOW}@2", "frame_rate", {"name": "rate"})
    done = flows.upgrade("sway")
    assert done.renamed == (("frame_rate", "rate"),)
    (order,) = orders(stocked)
    assert order.values["rate"] == 100
    flows.change_slot(f"{FLOW}@1", "frame_rate", {"maximum": 60})
    with pytest.raises(ConflictError, match=r"does not take what 'sway' sets: Slot frame_rate takes 1 to 60"):
        flows.upgrade("sway", version=1)
    with pytest.raises(NotFoundError, match="no scene type 'swaying'"):
        flows.upgrade("swaying")


def test_a_variants_order_has_the_slots_of_the_rows(stocked: Studio) -> None:
    stocked.workflows.change_slot("evening", "seed", {"name": "chance"})
    stocked.project("Aurora").make_variants("evening")
    with stocked.transaction() as session:
        task = session.scalars(sa.select(m.GpuTask).where(m.GpuTask.image_variant_id.is_not(None))).first()
        assert task is not None
        order = variants.build_order(session, task)
        assert order.slots == slots_of(session, order.workflow_version_id)
    assert "chance" in {slot.name for slot in order.slots}


def test_a_default_of_ones_own_counts_for_models_and_workers(stocked: Studio, tmp_path: Path) -> None:
    def with_lora(graph: Any) -> None:
        inputs = {"lora_name": "old.safetensors", "strength_model": 1.0, "model": ["4", 0]}
        graph["30"] = {"class_type": "LoraLoaderModelOnly", "inputs": inputs}

    load(stocked, tmp_path, {}, with_lora)
    graph = tiny_graph()
    with_lora(graph)
    (tmp_path / f"{FLOW}.json").write_text(json.dumps(graph))
    stocked.load_scene_type(tmp_path / "sway.toml")
    stocked.workflows.change_slot(FLOW, "lora_30", {"default": "new.safetensors"})
    with stocked.transaction() as session:
        version = session.scalars(sa.select(m.SceneTypeVersion).order_by(m.SceneTypeVersion.number.desc())).first()
        assert version is not None
        assert [named.name for named in usage.scene_type_models(session, [version.id])[version.id]] == [
            "new.safetensors"
        ]
        assert fitness.recipe_overrides(session, [version.id]) == {version.id: {("30", "lora_name"): "new.safetensors"}}
