"""Which face backend this studio has."""

from __future__ import annotations

from pathlib import Path

from x121lib.base.errors import InvalidInputError
from x121lib.base.log import get_logger
from x121lib.identity.classical import ClassicalBackend
from x121lib.identity.faces import BackendUnavailableError, FaceBackend
from x121lib.identity.insight import InsightFaceBackend, is_importable

_log = get_logger(__name__)


def load_backend(
    packs_dir: Path | None = None, prefer: str | None = None, *, threads: int | None = None
) -> FaceBackend:
    """Return InsightFace when a model pack is installed and it can be imported, else the classical backend.

    ``packs_dir`` holds one folder of ``*.onnx`` files per pack; of several, ``prefer`` names one, else the first in
    alphabetical order is taken. ``prefer="classical"`` always gives the classical backend. ``threads`` sets OpenCV's
    thread count for the whole process.

    Raises:
        BackendUnavailableError: the pack named by ``prefer`` is not there or can not be loaded.
        InvalidInputError: ``threads`` is below 1.
    """
    if threads is not None and threads < 1:
        raise InvalidInputError(f"A thread count starts at 1, not {threads}.")
    packs = list_packs(packs_dir)
    if prefer == ClassicalBackend.name:
        return ClassicalBackend(threads=threads)
    if prefer is not None and prefer != InsightFaceBackend.name:
        packs = [pack for pack in packs if pack.name == prefer]
    if prefer is not None and not packs:
        raise BackendUnavailableError(
            f"There is no face model pack '{prefer}' in {packs_dir}.",
            hint="Put its *.onnx files into a folder of that name, or use the classical backend.",
        )
    if packs and (prefer is not None or is_importable()):
        return InsightFaceBackend(packs[0])
    if packs:
        _log.warning("Face model pack %s is not used: InsightFace is not installed (extra 'face').", packs[0].name)
    return ClassicalBackend(threads=threads)


def list_packs(packs_dir: Path | None) -> list[Path]:
    """Return the folders of ``packs_dir`` that hold ONNX files, in alphabetical order; none where it is absent."""
    if packs_dir is None or not packs_dir.is_dir():
        return []
    return sorted(folder for folder in packs_dir.iterdir() if folder.is_dir() and any(folder.glob("*.onnx")))
