"""What the page of the models does: each through the use case that checks permission, input and state again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from x121lib.base.errors import InvalidInputError
from x121lib.studio.core import Studio
from x121lib.studio.pages.desk import key_of
from x121lib.studio.pages.model_work import ModelWork
from x121lib.studio.pages.words import many


def scan(studio: Studio, work: ModelWork, folder: str, allowed: list[str]) -> dict[str, Any]:
    """Begin to scan one of the folders that a page may scan."""
    if folder not in allowed:
        raise InvalidInputError("This folder can not be scanned from a page.", hint="'x121 model scan FOLDER' once.")
    work.start(studio, "scan", studio.models.root(Path(folder)))
    return {"text": "The folder is being read"}


def verify(studio: Studio, work: ModelWork) -> str:
    """Begin to read every file again."""
    work.start(studio, "verify")
    return "Every file is read again"


def repair(studio: Studio) -> str:
    """Point missing models at files with the same content."""
    found = studio.models.repair()
    mended = [r for r in found if r.found is not None]
    if not found:
        return "No model is missing"
    if not mended:
        return f"{many(len(found), 'missing model')}: no scan has found its content elsewhere"
    named = sorted({name for r in mended for name in r.still_named})
    more = f"; the old name stands in {', '.join(named[:4])}" if named else ""
    return f"{len(mended)} of {many(len(found), 'missing model')} found again{more}"


def rate(studio: Studio, model_id: str, rating: int | None) -> None:
    """Rate a model; None takes the rating away."""
    studio.models.rate(_key(model_id), rating)


def note(studio: Studio, model_id: str, text: str, other: str, warning: str) -> dict[str, Any]:
    """Write a note on a model, or on a pair."""
    studio.models.note(_key(model_id), text, other=other.strip() or None, is_warning=warning == "yes")
    return {"text": "Note saved"}


def remove(studio: Studio, model_id: str, file: str) -> dict[str, Any]:
    """Take a model out of the inventory; ``file`` is ``delete`` or ``keep``."""
    if file not in ("delete", "keep"):
        raise InvalidInputError("Say whether its file is deleted or kept.")
    name = studio.models.show(_key(model_id))["path"]
    studio.models.remove(_key(model_id), keep_file=file == "keep")
    return {"text": f"{name} is removed" + (" with its file" if file == "delete" else "; its file stays")}


def _key(model_id: str) -> str:
    return str(key_of(model_id, "model"))
