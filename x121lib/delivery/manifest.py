"""What goes into a delivery, under which name, and what is missing: pure."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from x121lib.terms.naming import NamingRules, SceneName, character_folder, scene_file_name, variant_file_name
from x121lib.terms.vocabulary import SceneStatus


@dataclass(frozen=True)
class SceneFacts:
    """A scene that a delivery expects, made or not."""

    character: str
    """Name of its character."""
    scene_type: str
    """Lowercase snake_case."""
    variant_kind: str
    """Its variant kind."""
    transition: str | None
    """Transition mode; None is normal."""
    index: int
    """1, 2, …"""
    status: SceneStatus
    """Where it stands; Pending when it was never submitted."""
    tier_deliverable: bool
    """Whether its tier is delivered."""
    scene_version_id: uuid.UUID | None = None
    """The approved cut."""
    sha256: str | None = None
    """Hash of the cut's video."""


@dataclass(frozen=True)
class ImageFacts:
    """A variant image that a delivery expects."""

    character: str
    """Name of its character."""
    variant_kind: str
    """Its kind."""
    sha256: str | None
    """Hash of the approved image; None where none is approved."""


@dataclass(frozen=True)
class ManifestItem:
    """One file of the ZIP."""

    path: str
    """Path in the ZIP, with forward slashes."""
    sha256: str
    """Hash of its content."""
    scene_version_id: uuid.UUID | None = None
    """Set for videos."""


@dataclass(frozen=True)
class Manifest:
    """All files of the ZIP, and what is missing in words."""

    items: tuple[ManifestItem, ...]
    """Files, by path."""
    missing: tuple[str, ...]
    """One sentence per missing piece."""


def build(scenes: Sequence[SceneFacts], images: Sequence[ImageFacts], rules: NamingRules) -> Manifest:
    """Name every approved video and image, and name what is missing.

    A video carries its index only where its character has several of the same type, kind and transition.
    """
    items: list[ManifestItem] = []
    missing: list[str] = []
    siblings = Counter((s.character, s.scene_type, s.variant_kind, s.transition) for s in scenes)
    for image in images:
        if image.sha256 is None:
            missing.append(f"{image.character}: no approved '{image.variant_kind}' image.")
        else:
            path = f"{character_folder(image.character)}/{variant_file_name(image.variant_kind)}"
            items.append(ManifestItem(path, image.sha256))
    for scene in scenes:
        several = siblings[scene.character, scene.scene_type, scene.variant_kind, scene.transition] > 1
        name = scene_file_name(
            SceneName(scene.variant_kind, scene.scene_type, scene.transition, scene.index if several else None), rules
        )
        if problem := _problem(scene):
            missing.append(f"{scene.character}: {name} {problem}.")
        elif scene.sha256 is not None:
            path = f"{character_folder(scene.character)}/{name}"
            items.append(ManifestItem(path, scene.sha256, scene.scene_version_id))
    return Manifest(tuple(sorted(items, key=lambda i: i.path)), tuple(missing))


def _problem(scene: SceneFacts) -> str:
    if scene.status == SceneStatus.PENDING:
        return "was never generated"
    if scene.status != SceneStatus.APPROVED:
        return f"is not approved ({scene.status.label.lower()})"
    if not scene.tier_deliverable:
        return "was made at a tier that is not delivered"
    if scene.sha256 is None:
        return "has no assembled video"
    return ""


def receipt_path(video_path: str) -> str:
    """Return the path of the receipt beside a video: ``Mara/dance.mp4`` → ``Mara/dance.receipt.json``."""
    return video_path.removesuffix(".mp4") + ".receipt.json"
