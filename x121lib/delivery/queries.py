"""Every SELECT of delivery."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.delivery.manifest import ImageFacts, SceneFacts
from x121lib.terms.vocabulary import SceneStatus


def scene_facts(session: Session, project_id: uuid.UUID, character_ids: list[uuid.UUID]) -> list[SceneFacts]:
    """Return every scene that the project's characters are expected to have.

    Expected is the matrix of the characters and the (scene type, kind) pairs that the project uses.
    """
    made = _made(session, project_id, character_ids)
    characters = _names(session, character_ids)
    used = sorted({(f.scene_type, f.variant_kind) for _, f in made if f.transition is None})
    have = {(f.character, f.scene_type, f.variant_kind) for _, f in made}
    absent = [
        SceneFacts(name, scene_type, kind, None, 1, SceneStatus.PENDING, tier_deliverable=True)
        for name in characters.values()
        for scene_type, kind in used
        if (name, scene_type, kind) not in have
    ]
    return [f for _, f in made] + absent


def _names(session: Session, character_ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    query = sa.select(m.Character.id, m.Character.name).where(m.Character.id.in_(character_ids))
    return dict(session.execute(query).all())


def _made(
    session: Session, project_id: uuid.UUID, character_ids: list[uuid.UUID]
) -> list[tuple[uuid.UUID, SceneFacts]]:
    newest = (
        sa.select(m.SceneVersion.scene_id, sa.func.max(m.SceneVersion.number).label("number"))
        .group_by(m.SceneVersion.scene_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(
            m.Scene, m.Character.name, m.SceneType.name, m.VariantKind.name, m.TransitionMode, m.Tier.is_deliverable,
            m.SceneVersion.id, m.Artifact.sha256,
        )
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .join(m.TransitionMode, m.TransitionMode.id == m.Scene.transition_mode_id)
        .join(m.Tier, m.Tier.id == m.Scene.tier_id)
        .outerjoin(newest, newest.c.scene_id == m.Scene.id)
        .outerjoin(
            m.SceneVersion,
            sa.and_(m.SceneVersion.scene_id == m.Scene.id, m.SceneVersion.number == newest.c.number),
        )
        .outerjoin(m.Artifact, m.Artifact.id == m.SceneVersion.artifact_id)
        .where(m.Scene.project_id == project_id, m.Scene.character_id.in_(character_ids))
        .order_by(m.Character.name, m.SceneType.name, m.VariantKind.sort_order, m.Scene.index_number)
    ).all()  # fmt: skip
    return [
        (
            scene.id,
            SceneFacts(
                character=character, scene_type=scene_type, variant_kind=kind,
                transition=mode.name if mode.filename_suffix else None, index=scene.index_number,
                status=scene.status_id, tier_deliverable=deliverable, scene_version_id=version, sha256=sha256,
            ),
        )
        for scene, character, scene_type, kind, mode, deliverable, version, sha256 in rows
    ]  # fmt: skip


def image_facts(session: Session, character_ids: list[uuid.UUID], kinds: list[str]) -> list[ImageFacts]:
    """Return the approved image of each character and kind, or its absence."""
    rows = session.execute(
        sa.select(m.Character.name, m.VariantKind.name, m.Artifact.sha256)
        .join(m.ImageVariant, m.ImageVariant.character_id == m.Character.id)
        .join(m.VariantKind, m.VariantKind.id == m.ImageVariant.kind_id)
        .join(m.ImageVersion, m.ImageVersion.id == m.ImageVariant.approved_version_id)
        .join(m.Artifact, m.Artifact.id == m.ImageVersion.artifact_id)
        .where(m.Character.id.in_(character_ids))
    ).all()
    approved = {(character, kind): sha256 for character, kind, sha256 in rows}
    wanted = [(name, kind) for name in sorted(_names(session, character_ids).values()) for kind in kinds]
    extra = sorted(set(approved) - set(wanted))
    return [ImageFacts(c, k, approved.get((c, k))) for c, k in [*wanted, *extra]]


def receipts(session: Session, scene_version_id: uuid.UUID) -> dict[str, Any]:
    """Return everything that made a cut, as the JSON document that goes beside the video."""
    head = session.execute(
        sa.select(m.SceneVersion, m.Scene, m.Character.name, m.SceneType.name, m.VariantKind.name, m.Tier.name,
                  m.Artifact.sha256, m.ArtifactVideo)
        .join(m.Scene, m.Scene.id == m.SceneVersion.scene_id)
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .join(m.Tier, m.Tier.id == m.Scene.tier_id)
        .join(m.Artifact, m.Artifact.id == m.SceneVersion.artifact_id)
        .outerjoin(m.ArtifactVideo, m.ArtifactVideo.artifact_id == m.Artifact.id)
        .where(m.SceneVersion.id == scene_version_id)
    ).one()  # fmt: skip
    version, scene, character, scene_type, kind, tier, sha256, video = head
    rate = f"{video.rate_numerator}/{video.rate_denominator}" if video else None
    return {
        "ai_generated": True, "scene_id": str(scene.id), "version": version.number, "character": character,
        "scene_type": scene_type, "variant": kind, "tier": tier, "sha256": sha256, "frames": version.n_frames,
        "frame_rate": rate, "width": video.width if video else None, "height": video.height if video else None,
        "segments": [_segment(session, row) for row in _cut_rows(session, scene_version_id)],
    }  # fmt: skip


def _cut_rows(session: Session, scene_version_id: uuid.UUID) -> list[Any]:
    return list(
        session.execute(
            sa.select(m.SceneVersionCut, m.Segment.sequence_index, m.Take, m.Receipt, m.Workflow.name,
                      m.WorkflowVersion, m.Worker.name)
            .join(m.Take, m.Take.id == m.SceneVersionCut.take_id)
            .join(m.Segment, m.Segment.id == m.Take.segment_id)
            .join(m.Receipt, m.Receipt.id == m.Take.receipt_id)
            .join(m.WorkflowVersion, m.WorkflowVersion.id == m.Receipt.workflow_version_id)
            .join(m.Workflow, m.Workflow.id == m.WorkflowVersion.workflow_id)
            .outerjoin(m.Worker, m.Worker.id == m.Receipt.worker_id)
            .where(m.SceneVersionCut.scene_version_id == scene_version_id)
            .order_by(m.SceneVersionCut.position)
        )
    )  # fmt: skip


def _segment(session: Session, row: Any) -> dict[str, Any]:
    cut, index, take, receipt, workflow, workflow_version, worker = row
    inputs = session.execute(
        sa.select(m.ReceiptInput.slot, m.Artifact.sha256)
        .join(m.Artifact, m.Artifact.id == m.ReceiptInput.artifact_id)
        .where(m.ReceiptInput.receipt_id == receipt.id)
    )
    scores = session.execute(
        sa.select(m.Metric.name, m.Score.value)
        .join(m.Metric, m.Metric.id == m.Score.metric_id)
        .where(m.Score.take_id == take.id)
    )
    models = session.scalars(sa.select(m.ReceiptModel).where(m.ReceiptModel.receipt_id == receipt.id))
    corrected = session.get(m.HandOffCorrection, take.id)
    return {
        "segment": index, "take": take.number, "frames": [cut.start_frame, cut.stop_frame],
        "workflow": workflow, "workflow_version": workflow_version.number,
        "workflow_hash": workflow_version.graph_hash, "seed": int(receipt.seed),
        "text_prompt": receipt.text_prompt, "negative_prompt": receipt.negative_prompt,
        "models": [{"file": x.file_name, "weight": x.weight} for x in models], "inputs": dict(inputs.all()),
        "worker": worker, "comfyui_version": receipt.server_version, "x121_version": receipt.x121_version,
        "request_hash": receipt.request_hash, "scores": dict(scores.all()),
        **({"hand_off_correction": _correction(corrected)} if corrected is not None else {}),
    }  # fmt: skip


def _correction(row: m.HandOffCorrection) -> dict[str, Any]:
    """Return what was done in CIELAB to the frame that the next segment received, and its ΔE2000 before and after."""
    return {
        "method": "reinhard-2001-cielab", "shift": [row.shift_l, row.shift_a, row.shift_b],
        "gain": [row.gain_l, row.gain_a, row.gain_b], "drift_before": row.drift_before, "drift_after": row.drift_after,
    }  # fmt: skip
