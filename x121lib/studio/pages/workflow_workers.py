"""What each worker lacks of a workflow's version, for its page."""

from __future__ import annotations

from typing import Any

from x121lib import model as m
from x121lib.catalogue import checks
from x121lib.catalogue.checks import WorkerCheck
from x121lib.comfyui.checking import FindingKind
from x121lib.comfyui.model_files import named_models
from x121lib.studio.pages.desk import Desk


def workers(desk: Desk, name: str, version: m.WorkflowVersion) -> list[dict[str, Any]]:
    """Return for each worker what would keep the version from running there."""
    check = checks.check(desk.session, desk.actor, name, desk.now, number=version.number)
    known = {
        "n_classes": len({node["class_type"] for node in version.graph.values()}),
        "n_models": len({named.name for named in named_models(version.graph)}),
    }
    return [_worker(one) | known for one in check.workers]


def _worker(one: WorkerCheck) -> dict[str, Any]:
    status, word = (
        ("none", "Not checked") if not one.known else ("failed", "Can not run it") if one.findings else
        ("approved", "Ready")
    )  # fmt: skip
    lacking = {kind: list(dict.fromkeys(f.name for f in one.findings if f.kind == kind)) for kind in FindingKind}
    packs = {f.name: f.pack for f in one.findings if f.pack}
    return {
        "name": one.worker, "status": status, "word": word,
        "classes": [f"{c} ({packs[c]})" if c in packs else c for c in lacking[FindingKind.NODE_CLASS]],
        "models": lacking[FindingKind.MODEL],
        "problems": [
            f"{f.node_class} {f.node_id} {f.input_name}: {f.detail}".strip() for f in one.findings if not f.name
        ],
    }  # fmt: skip
