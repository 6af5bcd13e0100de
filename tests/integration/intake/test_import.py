"""Import of folders through the studio: names, dry run, versions, formats, metadata, faces."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.media import read_image
from x121lib.studio import Studio
from x121lib.studio.project import ProjectHandle
from x121lib.testing.small_studio import PORTRAITS


@pytest.fixture
def project(stocked: Studio) -> ProjectHandle:
    """Return an empty project."""
    return stocked.create_project("Borealis")


def folder_with(root: Path, portrait: str, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PORTRAITS / portrait / "portrait.png", root / name)
    return root


@pytest.mark.capability("PRD-16/folder-path-gives-the-entity-name", "PRD-01/character", "PRD-01/source-image",
                        "PRD-21/source-image-upload")  # fmt: skip
def test_the_folder_names_the_character(project: ProjectHandle, tmp_path: Path) -> None:
    root = folder_with(tmp_path / "in", "Jonas", "Jane Dough/Bio/portrait.png")
    result = project.import_folder(root, synthetic=True)
    assert [(i.name, i.is_new, i.new_versions) for i in result.imported] == [("Jane Dough", True, ("clothed",))]
    assert list(project.characters()["likeness"]) == ["Synthetic"]
    (row,) = project.variants().itertuples()
    assert (row.kind, row.status, row.versions, row.approved_version) == ("clothed", "Approved", 1, 1)


def test_a_dry_run_writes_nothing(stocked: Studio, project: ProjectHandle, tmp_path: Path) -> None:
    root = folder_with(tmp_path / "in", "Jonas", "Jane/portrait.png")
    before = set(stocked.house.artifacts.iter_hashes())
    result = project.import_folder(root, synthetic=True, dry_run=True)
    assert [c.name for c in result.report.importable] == ["Jane"]
    assert (result.imported, result.refused) == ((), ())
    assert project.characters().empty
    assert set(stocked.house.artifacts.iter_hashes()) == before


@pytest.mark.capability("PRD-16/feeds-validation", "PRD-22/resolution-format-validation", "PRD-22/batch-validation")
def test_a_character_comes_whole_or_not_at_all(project: ProjectHandle, tmp_path: Path) -> None:
    root = folder_with(tmp_path / "in", "Jonas", "Jane/clothed.png", "Jane/evening.png", "Tom/clothed.png")
    whole = (root / "Jane" / "evening.png").read_bytes()
    (root / "Jane" / "evening.png").write_bytes(whole[: len(whole) // 2])
    result = project.import_folder(root, synthetic=True)
    assert [i.name for i in result.imported] == ["Tom"]
    assert any(reason.startswith("Jane: ") and "damaged" in reason for reason in result.refused)
    assert list(project.characters()["character"]) == ["Tom"]


@pytest.mark.capability("PRD-16/full-relative-path-decides-uniqueness")
def test_one_name_twice_is_refused_and_says_where(project: ProjectHandle, tmp_path: Path) -> None:
    root = folder_with(tmp_path / "in", "Jonas", "Jane/portrait.png", "jane/portrait.png", "Tom/portrait.png")
    result = project.import_folder(root, synthetic=True)
    assert [i.name for i in result.imported] == ["Tom"]
    assert "jane" in " ".join(result.refused).casefold()


@pytest.mark.capability("PRD-21/version-history", "PRD-69/asset-version-tracking")
def test_the_same_file_again_changes_nothing_and_another_is_a_new_version(
    stocked: Studio, project: ProjectHandle, tmp_path: Path
) -> None:
    root = folder_with(tmp_path / "in", "Jonas", "Jane/portrait.png")
    project.import_folder(root, synthetic=True)
    (again,) = project.import_folder(root, synthetic=True).imported
    assert (again.is_new, again.new_versions) == (False, ())
    folder_with(root, "Mara", "Jane/portrait.png")
    (changed,) = project.import_folder(root, synthetic=True).imported
    assert changed.new_versions == ("clothed",)
    (row,) = project.variants().itertuples()
    assert (row.versions, row.approved_version) == (2, 2)
    with stocked.transaction() as session:
        audited = session.scalars(
            sa.select(m.AuditEntry.action).where(m.AuditEntry.entity_id == changed.character_id)
        ).all()
    assert audited == ["character.import", "character.import"]


def test_a_jpeg_is_kept_and_delivered_as_the_same_pixels_in_png(
    stocked: Studio, project: ProjectHandle, tmp_path: Path
) -> None:
    path = tmp_path / "in" / "Jane" / "portrait.jpg"
    path.parent.mkdir(parents=True)
    Image.open(PORTRAITS / "Jonas" / "portrait.png").convert("RGB").save(path, quality=95)
    project.import_folder(tmp_path / "in", synthetic=True)
    with stocked.transaction() as session:
        version = session.scalars(
            sa.select(m.ImageVersion).join(m.ImageVariant, m.ImageVariant.id == m.ImageVersion.variant_id)
            .join(m.Character, m.Character.id == m.ImageVariant.character_id).where(m.Character.name == "Jane")
        ).one()  # fmt: skip
        png, original = (session.get_one(m.Artifact, k) for k in (version.artifact_id, version.original_artifact_id))
    assert (png.media_type, original.media_type) == ("image/png", "image/jpeg")
    store = stocked.house.artifacts
    assert store.path(original.sha256).read_bytes() == path.read_bytes()
    assert np.array_equal(read_image(store.path(png.sha256)), read_image(path))


@pytest.mark.capability("PRD-01/metadata", "PRD-13/character-metadata-json")
def test_metadata_is_typed_in_the_database_and_whole_in_the_delivery(reviewed: Studio, tmp_path: Path) -> None:
    project = reviewed.project("Aurora")
    root = folder_with(tmp_path / "in", "Lena", "Lena/portrait.png")
    document = json.loads((PORTRAITS / "Lena" / "metadata.json").read_text()) | {"agent": {"name": "Bö"}, "age": 29}
    (root / "Lena" / "metadata.json").write_text(json.dumps(document))
    project.import_folder(root, synthetic=True)
    with reviewed.transaction() as session:
        rows = session.execute(
            sa.select(m.MetadataField.name, m.CharacterMetadataValue)
            .join(m.CharacterMetadataValue, m.CharacterMetadataValue.field_id == m.MetadataField.id)
            .join(m.Character, m.Character.id == m.CharacterMetadataValue.character_id)
            .where(m.Character.name == "Lena")
        )  # fmt: skip
        values = {name: (row.integer_value, row.text_value) for name, row in rows}
    assert values["age"] == (29, None)
    assert values["hair_color"] == (None, "blonde")
    reviewed.decide(project.scene("Lena", "sway", "clothed").scene_id, "approve")
    package = project.deliver(tmp_path / "l.zip", characters=["Lena"], partial=True)
    with zipfile.ZipFile(package.path) as archive:
        delivered = json.loads(archive.read("Lena/metadata.json"))
    assert delivered["age"] == 29
    assert delivered["agent"] == {"name": "Bö"}


def test_changed_metadata_alone_is_a_change_and_is_audited(
    stocked: Studio, project: ProjectHandle, tmp_path: Path
) -> None:
    root = folder_with(tmp_path / "in", "Jonas", "Jane/portrait.png")
    (imported,) = project.import_folder(root, synthetic=True).imported
    (root / "Jane" / "metadata.json").write_text((PORTRAITS / "Jonas" / "metadata.json").read_text())
    project.import_folder(root, synthetic=True)
    project.import_folder(root, synthetic=True)
    with stocked.transaction() as session:
        entries = session.scalars(
            sa.select(m.AuditEntry).where(m.AuditEntry.entity_id == imported.character_id).order_by(m.AuditEntry.id)
        ).all()
    assert [(e.after or {}).get("metadata") for e in entries] == [False, True]


@pytest.mark.capability("PRD-76/automatic-extraction", "PRD-76/embedding-storage")
def test_the_embedding_is_stored_with_its_backend_and_found_by_distance(stocked: Studio) -> None:
    with stocked.transaction() as session:
        faces = session.execute(
            sa.select(m.Character.name, m.Face)
            .join(m.ImageVariant, m.ImageVariant.character_id == m.Character.id)
            .join(m.ImageVersion, m.ImageVersion.id == m.ImageVariant.approved_version_id)
            .join(m.Face, m.Face.artifact_id == m.ImageVersion.artifact_id)
        ).all()  # fmt: skip
        by_name = {name: face for name, face in faces}
        assert set(by_name) == {"Aiko", "Lena"}
        distance = m.Face.embedding.cosine_distance(by_name["Lena"].embedding)
        nearest = session.execute(sa.select(m.Face.id, distance).order_by(distance)).all()
    assert by_name["Aiko"].backend == stocked.house.faces.name
    assert by_name["Aiko"].confidence > 0
    assert nearest[0][0] == by_name["Lena"].id
    assert nearest[0][1] == pytest.approx(0, abs=1e-5)
    assert nearest[1][1] > 0.01


def test_whose_likeness_it_is_must_be_said_and_a_performer_must_be_known(
    project: ProjectHandle, tmp_path: Path
) -> None:
    root = folder_with(tmp_path / "in", "Jonas", "Jane/portrait.png")
    with pytest.raises(InvalidInputError, match="whose likeness"):
        project.import_folder(root)
    with pytest.raises(InvalidInputError, match="whose likeness"):
        project.import_folder(root, synthetic=True, performer="Ada")
    with pytest.raises(NotFoundError):
        project.import_folder(root, synthetic=True, kind="nothing")
    result = project.import_folder(root, performer="Ada")
    assert result.imported == ()
    assert "no performer 'Ada'" in result.refused[0]


@pytest.mark.capability("PRD-76/multi-face-handling")
def test_of_several_faces_one_is_chosen(stocked: Studio, project: ProjectHandle, tmp_path: Path) -> None:
    left, right = (np.asarray(Image.open(PORTRAITS / n / "portrait.png").convert("RGB")) for n in ("Jonas", "Mara"))
    path = tmp_path / "in" / "Pair" / "portrait.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(np.hstack([left, right[:, :900]])).save(path)
    refused = project.import_folder(tmp_path / "in", synthetic=True)
    assert "--face PATH=N" in refused.refused[0]
    assert project.characters().empty
    boxes = []
    for number in (1, 2):
        result = project.import_folder(
            tmp_path / "in", synthetic=True, faces={"Pair/portrait.png": number}, dry_run=number == 1
        )
        face = result.report.characters[0].images[0].face
        assert face is not None
        boxes.append(face.box)
    assert boxes[0] != boxes[1]
    with stocked.transaction() as session:
        stored = session.execute(sa.select(m.Face.box_x, m.Face.box_y).order_by(m.Face.id.desc())).first()
    assert stored is not None
    assert tuple(stored) == boxes[1][:2]
