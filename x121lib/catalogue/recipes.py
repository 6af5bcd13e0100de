"""Workflows, scene types and QA profiles: loaded from files, versioned, never changed in place."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError
from x121lib.catalogue import queries
from x121lib.catalogue.importing import import_workflow
from x121lib.catalogue.slots import slots_of
from x121lib.comfyui.errors import SlotError
from x121lib.comfyui.slots import bind
from x121lib.events import outbox
from x121lib.store import audit
from x121lib.terms.naming import check_scene_type_name
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind


@dataclass(frozen=True)
class SceneTypeFile:
    """A scene type as its TOML file says it."""

    path: Path
    """The file."""
    name: str
    """Lowercase snake_case."""
    workflow: Path
    """The workflow's JSON file."""
    target_duration_s: Decimal
    """Length that a scene must reach, in seconds."""
    segment_duration_s: Decimal
    """Length of one segment, in seconds."""
    frame_rate: Fraction
    """Frames per second."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    variants: tuple[str, ...]
    """Variant kinds that it applies to."""
    qa_profile: str
    """Name of the QA profile."""
    description: str
    """One line for people."""
    text_prompt: str
    """Prompt template with `{slots}` filled from the character's metadata."""
    negative_prompt: str
    """Negative prompt template."""
    repeats_seed_frame: bool
    """Whether the workflow's first frame is the seed frame again."""
    slots: dict[str, Any]
    """Fixed values for workflow slots."""
    vram_gib: Decimal | None = None
    """GPU memory that a worker must have, in GiB; None: what the workflow states."""
    re_anchor: bool = False
    """Whether a hand-off frame whose colour drifted is matched back to the scene's first frame."""


def read_scene_type_file(path: Path) -> SceneTypeFile:
    """Read and check a scene type's TOML file.

    Raises:
        InvalidInputError: names the file, the key, what is wrong and what is expected.
    """
    data = _read_toml(path)
    known = {f for f in SceneTypeFile.__dataclass_fields__ if f != "path"}
    if unknown := sorted(set(data) - known):
        raise InvalidInputError(f"{path.name}: unknown key '{unknown[0]}'.", hint=f"Known: {', '.join(sorted(known))}.")
    try:
        return SceneTypeFile(
            path=path,
            name=_text(path, data, "name"),
            workflow=_workflow_path(path, _text(path, data, "workflow")),
            target_duration_s=_positive(path, data, "target_duration_s"),
            segment_duration_s=_positive(path, data, "segment_duration_s"),
            frame_rate=_rate(path, data.get("frame_rate", "24/1")),
            width=int(_positive(path, data, "width")),
            height=int(_positive(path, data, "height")),
            variants=tuple(data.get("variants") or ()),
            qa_profile=str(data.get("qa_profile", "default")),
            description=str(data.get("description", "")),
            text_prompt=str(data.get("text_prompt", "")),
            negative_prompt=str(data.get("negative_prompt", "")),
            repeats_seed_frame=bool(data.get("repeats_seed_frame", False)),
            slots=dict(data.get("slots", {})),
            vram_gib=_positive(path, data, "vram_gib") if "vram_gib" in data else None,
            re_anchor=_flag(path, data, "re_anchor"),
        )
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise InvalidInputError(f"{path.name}: {error}.") from error


def _flag(path: Path, data: dict[str, Any], key: str) -> bool:
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise InvalidInputError(f"{path.name}: '{key}' must be true or false and is {value!r}.")
    return value


def load_scene_type(
    session: Session, actor: Actor, file: SceneTypeFile, *, object_info: Mapping[str, Any] | None = None
) -> uuid.UUID:
    """Store a scene type as a new version unless the newest one says the same; returns the version's key.

    Raises:
        ConflictError: the name would make file names ambiguous.
        NotFoundError: a variant kind or the QA profile is unknown.
        InvalidInputError: the workflow is no sound graph or cannot be converted, or a value under ``slots`` names no
            slot or does not fit it.
    """
    actor.require(Permission.MANAGE_RECIPES)
    check_scene_type_name(file.name, queries.naming_rules(session))
    if not file.variants:
        raise InvalidInputError(f"{file.path.name}: 'variants' names no variant kind.")
    kinds = [queries.variant_kind(session, name) for name in file.variants]
    workflow_id = import_workflow(
        session, actor, file.workflow, repeats_seed_frame=file.repeats_seed_frame, object_info=object_info
    ).version_id
    profile_id = _profile_version(session, file)
    said = {key: value for key, value in file.__dict__.items() if key not in ("vram_gib", "re_anchor") or value}
    digest = _digest({**said, "path": "", "workflow": str(workflow_id), "profile": str(profile_id)})
    scene_type = session.scalars(sa.select(m.SceneType).where(m.SceneType.name == file.name)).first()
    if scene_type is None:
        scene_type = m.SceneType(name=file.name)
        session.add(scene_type)
        session.flush()
    last = _newest(session, scene_type.id)
    if last is not None and last.content_hash == digest:
        return last.id
    _check_slots(session, file, workflow_id)
    row = m.SceneTypeVersion(
        scene_type_id=scene_type.id, number=(last.number if last else 0) + 1, workflow_version_id=workflow_id,
        qa_profile_version_id=profile_id, transition_mode_id=queries.normal_mode(session).id,
        description=file.description, text_prompt=file.text_prompt, negative_prompt=file.negative_prompt,
        target_duration_s=file.target_duration_s, segment_duration_s=file.segment_duration_s,
        rate_numerator=file.frame_rate.numerator, rate_denominator=file.frame_rate.denominator,
        width=file.width, height=file.height, vram_bytes=gib(file.vram_gib), re_anchors=file.re_anchor,
        content_hash=digest, created_by_id=actor.person_id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _add_choices(session, row.id, file, kinds)
    audit.record(session, actor, "scene_type.load", ("scene_type", scene_type.id), after={"version": row.number})
    outbox.publish(session, EventKind.SCENE_TYPE_LOADED, entity="scene_type", entity_id=scene_type.id,
                   payload={"name": file.name, "version": row.number})  # fmt: skip
    return row.id


def gib(n: Decimal | float | None) -> int | None:
    """Return GiB in bytes; None stays None."""
    return None if n is None else int(n * 2**30)


def _check_slots(session: Session, file: SceneTypeFile, workflow_id: uuid.UUID) -> None:
    graph = session.get_one(m.WorkflowVersion, workflow_id).graph
    try:
        bind(graph, slots_of(session, workflow_id), file.slots)
    except SlotError as error:
        raise InvalidInputError(f"{file.path.name}, [slots]: {error.message}", hint=error.hint) from error


def _newest(session: Session, scene_type_id: uuid.UUID) -> m.SceneTypeVersion | None:
    return session.scalars(
        sa.select(m.SceneTypeVersion)
        .where(m.SceneTypeVersion.scene_type_id == scene_type_id)
        .order_by(m.SceneTypeVersion.number.desc())
        .limit(1)
    ).first()


def _add_choices(session: Session, key: uuid.UUID, file: SceneTypeFile, kinds: list[m.VariantKind]) -> None:
    session.add_all(m.SceneTypeVariantKind(scene_type_version_id=key, variant_kind_id=kind.id) for kind in kinds)
    session.add_all(m.SceneTypeSlotValue(scene_type_version_id=key, slot=s, value=v) for s, v in file.slots.items())
    session.flush()


def _profile_version(session: Session, file: SceneTypeFile) -> uuid.UUID:
    found = session.scalars(
        sa.select(m.QaProfileVersion.id)
        .join(m.QaProfile, m.QaProfile.id == m.QaProfileVersion.profile_id)
        .where(m.QaProfile.name == file.qa_profile)
        .order_by(m.QaProfileVersion.number.desc())
        .limit(1)
    ).first()
    if found is None:
        known = ", ".join(session.scalars(sa.select(m.QaProfile.name).order_by(m.QaProfile.name)))
        raise InvalidInputError(
            f"{file.path.name}: there is no QA profile '{file.qa_profile}'.", hint=f"Known: {known}."
        )
    return found


def _workflow_path(file: Path, named: str) -> Path:
    for base in (file.parent, file.parent.parent / "workflows"):
        path = base / named
        if path.is_file():
            return path
    raise InvalidInputError(f"{file.name}: there is no workflow file '{named}' beside it or in ../workflows.")


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(f"{path} can not be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path.name} is no TOML: {error}.") from error


def _text(path: Path, data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidInputError(f"{path.name}: '{key}' is missing or no text.")
    return value


def _positive(path: Path, data: dict[str, Any], key: str) -> Decimal:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InvalidInputError(f"{path.name}: '{key}' must be a number above 0.")
    return Decimal(str(value))


def _rate(path: Path, value: object) -> Fraction:
    try:
        rate = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 240:
        raise InvalidInputError(f"{path.name}: 'frame_rate' must be like \"24/1\", up to 240, and is {value!r}.")
    return rate


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
