"""The library of models: what is there, and one model with everything that hangs on it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from x121lib import model as m
from x121lib.models import queries, usage
from x121lib.studio.pages.desk import Desk, View
from x121lib.studio.pages.words import iso
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import DownloadStatus, ModelKind, ModelStatus, WorkerStatus

ROWS = 300
"""Models shown at once; the filter finds the others."""
USES = 200
"""Uses shown of one model."""
DOWNLOADS = 100
"""Downloads shown, the newest."""
STATES = {
    ModelStatus.PRESENT: ("approved", "Present"), ModelStatus.MISSING: ("failed", "Missing"),
    ModelStatus.ALTERED: ("warning", "Changed"),
}  # fmt: skip


def models(desk: Desk, params: Mapping[str, str], work: dict[str, Any] | None) -> View:
    """Return the models that the filter (``find``, ``kind``, ``state``) lets through, and the one of ``model``."""
    counts = desk.session.execute(
        sa.select(m.LibraryModel.kind_id, m.LibraryModel.status_id, sa.func.count(),
                  sa.func.sum(m.LibraryModel.n_bytes))
        .group_by(m.LibraryModel.kind_id, m.LibraryModel.status_id)
    ).all()  # fmt: skip
    by_kind, by_state = Counter[ModelKind](), Counter[ModelStatus]()
    for kind, status, n, _ in counts:
        by_kind[kind] += n
        by_state[status] += n
    found = _filtered(desk, params)
    rows, holders, used = found[:ROWS], _holders(desk), _used(desk)
    wanted = params.get("model")
    chosen = next((row for row, _, _ in found if str(row.id) == wanted), rows[0][0] if rows else None)
    return {
        "rows": [_row(row, version, root, holders, used) for row, version, root in rows], "found": len(found),
        "total": by_kind.total(), "bytes": int(sum(n or 0 for _, _, _, n in counts)),
        "kinds": [{"id": k.value, "name": k.label, "n": by_kind[k]} for k in ModelKind if by_kind[k]],
        "states": [
            {"id": s.value, "status": STATES[s][0], "word": STATES[s][1], "n": by_state[s]} for s in ModelStatus
        ],
        "chosen": _detail(desk, chosen, holders) if chosen is not None else None, "work": work,
        "downloads": (downloads := _downloads(desk)), "live": any(d["status"] == "generating" for d in downloads),
        "folders": folders(desk), "n_workers": len(_workers(desk)), "may_manage": desk.may(Permission.MANAGE_RECIPES),
    }  # fmt: skip


def folders(desk: Desk) -> list[str]:
    """Return the folders that may be scanned from a page: the settings' own, and those that were scanned before."""
    known = list(desk.session.scalars(sa.select(m.ModelRoot.path).order_by(m.ModelRoot.path)))
    own = desk.studio.settings.models_dir
    return list(dict.fromkeys([*([str(own)] if own is not None else []), *known]))


def _filtered(desk: Desk, params: Mapping[str, str]) -> list[Any]:
    model, version = m.LibraryModel, m.ModelVersion
    query = (
        sa.select(model, version, m.ModelRoot.path)
        .join(version, version.model_id == model.id)
        .join(m.ModelRoot, m.ModelRoot.id == model.root_id)
        .where(queries.newest_of())
    )
    for word in params.get("find", "").split():
        hashed = version.sha256.startswith(word.lower(), autoescape=True)
        query = query.where(sa.or_(model.path.icontains(word, autoescape=True), hashed))
    with suppress(ValueError):  # no such kind or state: no filter
        query = query.where(model.kind_id == ModelKind(params["kind"])) if params.get("kind") else query
        query = query.where(model.status_id == ModelStatus(params["state"])) if params.get("state") else query
    order = (sa.case((model.status_id == ModelStatus.PRESENT, 1), else_=0), model.kind_id, model.name, model.id)
    return [tuple(row) for row in desk.session.execute(query.order_by(*order))]


def _row(row: m.LibraryModel, version: m.ModelVersion, root: str, holders: Any, used: Counter[Any]) -> dict[str, Any]:
    status, word = STATES[row.status_id]
    return {
        "id": str(row.id), "name": row.name, "path": row.path, "root": root, "kind": row.kind_id.label,
        "status": status, "word": word, "rating": row.rating, "n_bytes": row.n_bytes, "version": version.number,
        "base_model": version.base_model, "sha256": version.sha256, "workers": len(_held(row, holders)),
        "used": used[row.name] or used[row.path],
    }  # fmt: skip


def _workers(desk: Desk) -> dict[uuid.UUID, str]:
    query = sa.select(m.Worker.id, m.Worker.name).where(m.Worker.status_id != WorkerStatus.REMOVED)
    return {key: name for key, name in desk.session.execute(query.order_by(m.Worker.name))}


def _holders(desk: Desk) -> dict[str, list[tuple[str, str]]]:
    """Return (folder, worker) by the name of a model file."""
    names, found = _workers(desk), dict[str, list[tuple[str, str]]]()
    query = sa.select(m.WorkerModel.worker_id, m.WorkerModel.folder, m.WorkerModel.name)
    for worker_id, folder, name in desk.session.execute(query):
        if worker_id in names:
            found.setdefault(name, []).append((folder, names[worker_id]))
    return found


def _held(row: m.LibraryModel, holders: Mapping[str, list[tuple[str, str]]]) -> list[str]:
    anywhere = row.kind_id == ModelKind.OTHER
    return sorted({w for folder, w in holders.get(row.name, []) if anywhere or folder == row.kind_id.value})


def _used(desk: Desk) -> Counter[Any]:
    """Return how many scene types' newest versions load a model, by the name that they give."""
    version = m.SceneTypeVersion
    newest = sa.select(version.id).ext(distinct_on(version.scene_type_id))
    newest = newest.order_by(version.scene_type_id, version.number.desc())
    loaded = usage.scene_type_models(desk.session, list(desk.session.scalars(newest)))
    return Counter(name for named in loaded.values() for name in {each.name for each in named})


_TRANSFERS = {
    DownloadStatus.QUEUED: ("pending", "Queued", ("pause", "cancel")),
    DownloadStatus.RUNNING: ("generating", "Running", ("pause", "cancel")),
    DownloadStatus.PAUSED: ("blocked", "Paused", ("resume", "cancel")),
    DownloadStatus.FAILED: ("failed", "Failed", ("resume", "cancel")),
    DownloadStatus.CANCELLED: ("none", "Cancelled", ()), DownloadStatus.COMPLETE: ("approved", "Complete", ()),
}  # fmt: skip


def _downloads(desk: Desk) -> list[dict[str, Any]]:
    """Return the newest downloads with how far each is."""
    found = []
    for row in desk.studio.downloads.list().head(DOWNLOADS).to_dict("records"):
        status, word, can = _TRANSFERS[DownloadStatus(row["status"])]
        found.append(
            {
                "id": str(row["download_id"]),
                "path": row["path"],
                "status": status,
                "word": word,
                "done_bytes": int(row["received_bytes"]),
                "n_bytes": row["n_bytes"],
                "rate": int(row["bytes_per_s"]),
                "share": (row["percent"] or 0.0) / 100,
                "left_s": row["eta_s"],
                "trouble": row["trouble"],
                "address": row["address"],
                "sha256": row["sha256"],
                "model_id": str(row["model_id"]) if row["model_id"] else None,
                "can": list(can) if desk.may(Permission.MANAGE_RECIPES) else [],
            }
        )
    return found


# One model


def _detail(desk: Desk, row: m.LibraryModel, holders: Mapping[str, list[tuple[str, str]]]) -> dict[str, Any]:
    versions = queries.versions(desk.session, row.id)
    uses = usage.uses_of(desk.session, row)
    stale = usage.stale_takes(desk.session, row.id)
    have = _held(row, holders)
    return {
        "id": str(row.id), "name": row.name, "path": row.path, "rating": row.rating,
        "verified_at": iso(row.verified_at) if row.verified_at else None,
        "words": queries.trigger_words(desk.session, versions[0].id),
        "duplicates": [x.path for x in queries.same_content(desk.session, versions[0].sha256) if x.id != row.id],
        "versions": [
            {"number": v.number, "sha256": v.sha256, "n_bytes": v.n_bytes, "at": iso(v.created_at)} for v in versions
        ],
        "uses": [
            {
                "id": str(u.key), "what": u.what, "name": u.name, "version": u.version, "weight": u.weight,
                "current": u.is_current,
            }
            for u in uses[:USES]
        ],
        "n_uses": len(uses), "holding": sum(u.is_current for u in uses),
        "stale": [
            {"id": f"{s.scene_id}-{s.segment}", "name": f"{s.scene} S{s.segment} take {s.take}", "why": s.reason,
             "scene_id": str(s.scene_id)}
            for s in stale[:USES]
        ],
        "n_stale": len(stale), "notes": _notes(desk, row),
        "have": have, "lack": [name for name in _workers(desk).values() if name not in have],
        "others": list(desk.session.scalars(
            sa.select(m.LibraryModel.path).where(m.LibraryModel.id != row.id).order_by(m.LibraryModel.path).limit(2000)
        )),
    }  # fmt: skip


def _notes(desk: Desk, row: m.LibraryModel) -> list[dict[str, Any]]:
    return [
        {
            "id": str(note.id), "text": note.text, "with": other, "warning": note.is_warning, "by": by or "X121",
            "at": iso(note.created_at),
        }
        for note, other, by in queries.notes(desk.session, row.id)
    ]  # fmt: skip
