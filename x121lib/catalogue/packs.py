"""Which node packs a workflow's file names: kept at its import, so that a missing class can be named with its pack."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.comfyui.editor.packs import packs_of


def remember(session: Session, version_id: uuid.UUID, path: Path) -> int:
    """Store the packs that a file names for a workflow version's classes; returns how many classes it names.

    The file was read and checked before; one in API form names none. What is known already stays.
    """
    found = packs_of(json.loads(path.read_text(encoding="utf-8")))
    if found:
        rows = [
            {"workflow_version_id": version_id, "node_class": name, "pack": pack.name, "pack_version": pack.version}
            for name, pack in sorted(found.items())
        ]
        session.execute(insert(m.WorkflowNodePack).values(rows).on_conflict_do_nothing())
    return len(found)
