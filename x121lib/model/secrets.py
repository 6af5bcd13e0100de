"""Secrets that a studio is given."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.orm import Mapped

from x121lib.model.base import Base, fk, now_column, pk, text


class Secret(Base):
    """A named value, encrypted with the studio's data key; only its name is ever shown."""

    __tablename__ = "secret"
    id: Mapped[uuid.UUID] = pk()
    name: Mapped[str] = text(unique=True)
    ciphertext: Mapped[str] = text()
    set_by_id: Mapped[uuid.UUID | None] = fk("person.id", "SET NULL", nullable=True)
    set_at: Mapped[datetime] = now_column()
