"""What scenes lack though nothing blocks them: told per cell, in the proposal, and by command, with the cure."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.integration.catalogue.test_checks import add_worker, load_styled, specs
from x121lib import model as m
from x121lib.base.errors import ForbiddenError, InvalidInputError, NotFoundError
from x121lib.pipeline.submission import Selection
from x121lib.studio import Studio
from x121lib.studio.door import Door
from x121lib.studio.pages import SessionPerson
from x121lib.terms.vocabulary import WorkerStatus
from x121lib.testing.small_studio import write_recipe


@pytest.fixture
def told(stocked: Studio, tmp_path: Path) -> tuple[Door, SessionPerson]:
    """Aurora with *styled*, whose model no worker has, *worded*, whose prompt names metadata, and *sway*."""
    add_worker(stocked, "poor", specs(tmp_path))
    load_styled(stocked, tmp_path / "r", lora_style="gone.safetensors")
    prompt = '"{character_name} with {eye_color} eyes, {mood}"'
    stocked.load_scene_type(write_recipe(tmp_path / "r", "worded", text_prompt=prompt))
    with stocked.transaction() as session:
        field = sa.select(m.MetadataField.id).where(m.MetadataField.name == "eye_color").scalar_subquery()
        value = m.CharacterMetadataValue
        session.execute(sa.delete(value).where(value.field_id == field))
    door = Door(stocked)
    person = stocked.people.add("Noor", "noor@example.test", ["Creator"], password="correct horse 9 staple")
    signed_in = door.redeem_once(stocked.people.make_sign_in_link(person))
    assert signed_in is not None
    return door, signed_in


def keys(door: Door, person: SessionPerson) -> tuple[dict[str, str], dict[str, str]]:
    """Return the keys of Aurora's characters and scene types by name."""
    view = door.matrix(person, "Aurora")
    return tuple({row["name"]: row["id"] for row in view[part]} for part in ("characters", "scene_types"))  # type: ignore[return-value]


def needs(door: Door, person: SessionPerson, character: str, scene_type: str) -> list[dict[str, str]]:
    """Return what a cell lacks."""
    characters, types = keys(door, person)
    key = characters[character], types[scene_type]
    cells = door.matrix_cells(person, "Aurora", [key[0]], [key[1]])["cells"]
    return cells[f"{key[0]}|{key[1]}"]["needs"]


@pytest.mark.capability("PRD-57/job-matrix-generation", "PRD-57/matrix-visualization")
def test_a_cell_says_which_model_and_which_metadata_lack_and_where_it_is_solved(
    stocked: Studio, told: tuple[Door, SessionPerson], tmp_path: Path
) -> None:
    door, person = told
    assert needs(door, person, "Aiko", "sway") == []
    (model,) = needs(door, person, "Aiko", "styled")
    assert model == {
        "what": "model", "text": "No worker has model loras/gone.safetensors",
        "solve": "Download it, or add it by hand", "href": "/models?find=gone.safetensors",
        "command": "x121 model download ADDRESS",
    }  # fmt: skip
    hair, mood = needs(door, person, "Aiko", "worded")
    assert hair["text"] == "metadata 'eye_color', which the prompt names, has no value: those words are left out"
    assert (hair["href"], hair["command"]) == (f"/character?character={keys(door, person)[0]['Aiko']}", "")
    assert mood["text"].startswith("the prompt names 'mood', and there is no such metadata field")
    (tmp_path / "own" / "loras").mkdir(parents=True)
    (tmp_path / "own" / "loras" / "gone.safetensors").write_bytes(b"weights of a style")
    stocked.models.scan(tmp_path / "own")
    (model,) = needs(door, person, "Aiko", "styled")
    assert (model["solve"], model["command"]) == (
        "The studio's library has the file: send it to a worker", 'x121 check "Aurora" --fix'
    )  # fmt: skip
    give(stocked, "Aiko", "eye_color", "red")
    assert [each["text"][:23] for each in needs(door, person, "Aiko", "worded")] == ["the prompt names 'mood'"]
    assert len(needs(door, person, "Lena", "worded")) == 2
    with stocked.transaction() as session:
        session.execute(sa.update(m.Worker).values(status_id=WorkerStatus.OFFLINE))
    (asleep,) = needs(door, person, "Aiko", "sway")
    assert asleep == {
        "what": "worker", "text": "None of the 1 GPU workers is online", "solve": "Start a worker, or add one",
        "href": "/workers", "command": "x121 worker list",
    }  # fmt: skip
    characters, types = keys(door, person)
    found = door.propose_cells(person, "Aurora", [(characters["Aiko"], types["sway"])], None)
    assert [(each["what"], each["text"]) for each in found["needs"]] == [
        ("worker", "None of the 1 GPU workers is online")
    ]


@pytest.mark.capability("PRD-57/matrix-visualization")
def test_a_cell_says_what_the_fleet_lacks_and_the_page_says_it_once(
    stocked: Studio, told: tuple[Door, SessionPerson]
) -> None:
    door, person = told
    with stocked.transaction() as session:
        session.execute(sa.update(m.SceneTypeVersion).values(vram_bytes=48 * 2**30))
        session.execute(sa.update(m.Worker).values(vram_bytes=24 * 2**30))
    (memory,) = needs(door, person, "Aiko", "sway")
    assert (memory["what"], memory["text"]) == ("GPU memory", "No worker has 48 GiB of GPU memory")
    assert "correct what the workflow or the scene type states" in memory["solve"]
    with stocked.transaction() as session:
        session.execute(sa.update(m.SceneTypeVersion).values(vram_bytes=None))
        session.execute(sa.update(m.Worker).values(status_id=WorkerStatus.OFFLINE))
    texts = [line["text"] for line in door.matrix(person, "Aurora")["prerequisites"]]
    lines = [text for text in texts if "run nowhere" in text]
    assert texts[: len(lines)] == lines, "before what single characters lack"
    assert sum("None of the 1 GPU workers is online" in line for line in lines) == 1
    for workflow in set(stocked.workflows.list()["workflow"]):
        stocked.workers.require_tags(workflow, ("night",))
    said = {need["what"]: need["text"] for need in needs(door, person, "Aiko", "sway")}
    assert said == {"tag": "No GPU worker has the tags that its workflow needs: night"}
    with stocked.transaction() as session:
        session.execute(sa.delete(m.Worker))
    (none,) = needs(door, person, "Aiko", "sway")
    assert (none["what"], none["solve"], none["command"]) == ("worker", "Add a worker", "x121 worker add URL")


def give(studio: Studio, character: str, field: str, text: str) -> None:
    """Give a character a metadata value."""
    with studio.transaction() as session:
        who = session.scalars(sa.select(m.Character.id).where(m.Character.name == character)).first()
        what = session.scalars(sa.select(m.MetadataField.id).where(m.MetadataField.name == field)).one()
        session.add(
            m.CharacterMetadataValue(character_id=who, field_id=what, text_value=text, updated_at=sa.func.now())
        )


@pytest.mark.capability("PRD-57/job-matrix-generation")
def test_sets_of_characters_and_scene_types_make_the_whole_matrix_which_is_looked_over_first(
    stocked: Studio, told: tuple[Door, SessionPerson]
) -> None:
    door, person = told
    characters, types = keys(door, person)
    stocked.project("Aurora").submit(characters=["Aiko"], scene_types=["sway"])
    cells = [(c, t) for c in (characters["Aiko"], characters["Lena"]) for t in types.values()]
    found = door.propose_cells(person, "Aurora", cells, None, ["clothed"])
    assert (found["characters"], found["scene_types"], found["variants"]) == (
        2,
        ["styled", "sway", "worded"],
        ["clothed"],
    )
    assert found["scenes"] == 2 * 3 * 1
    assert [(row["name"], row["cells"]) for row in found["rows"]] == [
        ("Aiko", ["q", "t", "q"]),
        ("Lena", ["q", "q", "q"]),
    ]
    assert (found["queue"], found["present"], found["blocked"], found["takes"]) == (5, 1, 0, 15)
    lacks = {need["text"].split(",")[0].split(":")[0]: (need["status"], need["n"]) for need in found["needs"]}
    assert lacks == {
        "No worker has model loras/gone.safetensors": ("warning", 2), "metadata 'eye_color'": ("warning", 2),
        "the prompt names 'mood'": ("warning", 2),
    }  # fmt: skip
    with stocked.transaction() as session:  # nothing was made by looking
        assert session.scalar(sa.select(sa.func.count()).select_from(m.Batch)) == 1
    assert door.submit(person, "Aurora", cells, None, ["clothed"]) == "5 scenes submitted, 15 takes"
    after = door.propose_cells(person, "Aurora", cells, None, ["clothed"])
    assert (after["queue"], after["present"], after["needs"]) == (0, 6, [])


def test_what_can_not_be_looked_over_is_refused(stocked: Studio, told: tuple[Door, SessionPerson]) -> None:
    door, person = told
    characters, types = keys(door, person)
    with pytest.raises(InvalidInputError, match="Nothing was chosen"):
        door.propose_cells(person, "Aurora", [], None)
    with pytest.raises(NotFoundError, match="the selection is of another project"):
        door.propose_cells(person, "Aurora", [(str(uuid.uuid4()), types["sway"])], None)
    reviewer = stocked.people.add("Ben", "ben@example.test", ["Reviewer"], password="correct horse 9 staple")
    signed_in = door.redeem_once(stocked.people.make_sign_in_link(reviewer))
    assert signed_in is not None
    with pytest.raises(ForbiddenError):
        door.propose_cells(signed_in, "Aurora", [(characters["Aiko"], types["sway"])], None)


def test_a_dry_run_names_what_lacks_and_the_strip_of_the_page_says_it_too(
    stocked: Studio, told: tuple[Door, SessionPerson]
) -> None:
    asked = stocked.project("Aurora").submit_selection(Selection(scene_types=("worded",)), dry_run=True)
    assert [(need.lacking.name, len(need.cells)) for need in asked.needs] == [("eye_color", 2), ("mood", 2)]
    door, person = told
    said: list[dict[str, Any]] = door.matrix(person, "Aurora")["prerequisites"]
    texts = [line["text"] for line in said]
    assert "styled: No worker has model loras/gone.safetensors, 2 scenes can run nowhere" in texts
    assert "Aiko and 1 more: no 'eye_color', which the prompt of worded names" in texts
