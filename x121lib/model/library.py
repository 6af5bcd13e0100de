"""The library of models and LoRAs: folders, files, their versions, and what people noted."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, text
from x121lib.terms.vocabulary import DownloadStatus, ModelKind, ModelStatus


class ModelRoot(Base):
    """A folder of models in ComfyUI's layout."""

    __tablename__ = "model_root"
    id: Mapped[uuid.UUID] = pk()
    path: Mapped[str] = text(unique=True)
    scanned_at: Mapped[datetime | None] = moment()


class LibraryModel(Base):
    """A model file: where it lies, the size and time under which it was hashed, and a rating from 1 to 5."""

    __tablename__ = "model"
    id: Mapped[uuid.UUID] = pk()
    root_id: Mapped[uuid.UUID] = fk("model_root.id", "RESTRICT", index=False)
    kind_id: Mapped[ModelKind] = term(ModelKind)
    name: Mapped[str] = mapped_column(sa.Text, nullable=False, index=True)
    path: Mapped[str] = text()
    status_id: Mapped[ModelStatus] = term(ModelStatus, default=ModelStatus.PRESENT)
    n_bytes: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    modified_ns: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    rating: Mapped[int | None] = mapped_column(sa.SmallInteger, nullable=True)
    created_at: Mapped[datetime] = now_column()
    verified_at: Mapped[datetime | None] = moment()
    __table_args__ = (
        sa.UniqueConstraint("root_id", "path"),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="rating_range"),
    )


class ModelVersion(Base):
    """What a model's file held from one moment on; the highest number is the current one."""

    __tablename__ = "model_version"
    id: Mapped[uuid.UUID] = pk()
    model_id: Mapped[uuid.UUID] = fk("model.id", "CASCADE", index=False)
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.CHAR(64), nullable=False, index=True)
    n_bytes: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    base_model: Mapped[str] = text(default="")
    created_at: Mapped[datetime] = now_column()
    __table_args__ = (sa.UniqueConstraint("model_id", "number"),)


class ModelTriggerWord(Base):
    """A word that a version was trained on, as its header says."""

    __tablename__ = "model_trigger_word"
    model_version_id: Mapped[uuid.UUID] = fk("model_version.id", "CASCADE", primary_key=True)
    word: Mapped[str] = mapped_column(sa.Text, primary_key=True)


class ModelNote(Base):
    """What somebody observed of a model, or of a model together with another; a warning is said before work."""

    __tablename__ = "model_note"
    id: Mapped[uuid.UUID] = pk()
    model_id: Mapped[uuid.UUID] = fk("model.id", "CASCADE")
    other_model_id: Mapped[uuid.UUID | None] = fk("model.id", "CASCADE", nullable=True)
    text: Mapped[str] = text()
    is_warning: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    created_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    created_at: Mapped[datetime] = now_column()


class ModelPlacement(Base):
    """A model's file on a worker's host: the version that goes there, how far it is, and why it is not there."""

    __tablename__ = "model_placement"
    worker_id: Mapped[uuid.UUID] = fk("worker.id", "CASCADE", primary_key=True)
    model_id: Mapped[uuid.UUID] = fk("model.id", "CASCADE", primary_key=True)
    sha256: Mapped[str] = mapped_column(sa.CHAR(64), nullable=False)
    status_id: Mapped[DownloadStatus] = term(DownloadStatus, default=DownloadStatus.QUEUED)
    sent_bytes: Mapped[int] = mapped_column(sa.BigInteger, nullable=False, default=0)
    n_bytes: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    trouble: Mapped[str] = text(default="")
    owner: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid, nullable=True)
    lease_until: Mapped[datetime | None] = moment()
    requested_at: Mapped[datetime] = now_column()
    finished_at: Mapped[datetime | None] = moment()
    __table_args__ = (sa.Index("ix_model_placement_model_id", "model_id"),)


class ModelDownload(Base):
    """A model that is to be fetched: from where, to which place, and how far it is.

    ``sha256`` is the hash that was promised; where none was, the one that was received. ``owner`` is the run that
    holds it until ``lease_until``; another may take it over after that.
    """

    __tablename__ = "model_download"
    id: Mapped[uuid.UUID] = pk()
    address: Mapped[str] = text()
    url: Mapped[str] = text()
    secret_name: Mapped[str | None] = text(nullable=True)
    kind_id: Mapped[ModelKind] = term(ModelKind)
    root: Mapped[str] = text()
    path: Mapped[str] = text()
    status_id: Mapped[DownloadStatus] = term(DownloadStatus, default=DownloadStatus.QUEUED)
    sha256: Mapped[str | None] = mapped_column(sa.CHAR(64), nullable=True)
    n_bytes: Mapped[int | None] = mapped_column(sa.BigInteger, nullable=True)
    received_bytes: Mapped[int] = mapped_column(sa.BigInteger, nullable=False, default=0)
    bytes_per_s: Mapped[float] = mapped_column(sa.Float, nullable=False, default=0.0)
    etag: Mapped[str] = text(default="")
    base_model: Mapped[str] = text(default="")
    trigger_words: Mapped[str] = text(default="")
    trouble: Mapped[str] = text(default="")
    owner: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid, nullable=True)
    lease_until: Mapped[datetime | None] = moment()
    model_id: Mapped[uuid.UUID | None] = fk("model.id", "SET NULL", nullable=True)
    requested_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    created_at: Mapped[datetime] = now_column()
    finished_at: Mapped[datetime | None] = moment()
