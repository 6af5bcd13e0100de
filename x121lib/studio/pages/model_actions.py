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


def download(studio: Studio, address: str, kind: str, name: str, sha256: str) -> dict[str, Any]:
    """Queue a download; the site is asked for the file at once."""
    if not address.strip():
        raise InvalidInputError("A download needs an address.", hint="A URL, hf:OWNER/REPO/FILE, or civitai:MODEL.")
    key = studio.downloads.add(
        address.strip(), kind=kind or None, name=name.strip() or None, sha256=sha256.strip() or None
    )
    return {"text": f"{studio.downloads.show(key)['path']} is queued"}


def steer_download(studio: Studio, download_id: str, how: str) -> str:
    """Pause, resume or cancel a download."""
    key = key_of(download_id, "download")
    steps = {
        "pause": (studio.downloads.pause, "paused; what was received stays"),
        "resume": (studio.downloads.resume, "goes on from where it stood"),
        "cancel": (studio.downloads.cancel, "cancelled; what was received is deleted"),
    }
    if how not in steps:
        raise InvalidInputError(f"A download can not be steered by '{how}'.", hint=f"Known: {', '.join(steps)}.")
    step, words = steps[how]
    step(key)
    return f"{studio.downloads.show(key)['path']}: {words}"


def _key(model_id: str) -> str:
    return str(key_of(model_id, "model"))
