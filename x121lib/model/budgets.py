"""Budgets of GPU time: whose, how much in which period, what counts, what is reserved and what was used."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from x121lib.model.base import Base, fk, moment, now_column, pk, term, version_column
from x121lib.terms.vocabulary import BudgetPeriod, TaskKind


class Budget(Base):
    """GPU time that a project, a person, or each person may use in a period.

    With neither project nor person it holds for each person by themselves.
    """

    __tablename__ = "budget"
    id: Mapped[uuid.UUID] = pk()
    project_id: Mapped[uuid.UUID | None] = fk("project.id", "CASCADE", nullable=True)
    person_id: Mapped[uuid.UUID | None] = fk("person.id", "CASCADE", nullable=True)
    period_id: Mapped[BudgetPeriod] = term(BudgetPeriod)
    limit_s: Mapped[float] = mapped_column(sa.Float, nullable=False)
    is_hard: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    rolls_over: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    created_at: Mapped[datetime] = now_column()
    version: Mapped[int] = version_column()
    __table_args__ = (
        sa.CheckConstraint("num_nonnulls(project_id, person_id) <= 1", name="one_holder"),
        sa.CheckConstraint("limit_s >= 0", name="limit_not_negative"),
        sa.UniqueConstraint("project_id", "person_id", "period_id", postgresql_nulls_not_distinct=True),
    )


class ShareWeight(Base):
    """How much of the GPU time is a project's or person's fair share, beside everybody's 1."""

    __tablename__ = "share_weight"
    id: Mapped[uuid.UUID] = pk()
    project_id: Mapped[uuid.UUID | None] = fk("project.id", "CASCADE", nullable=True, index=False)
    person_id: Mapped[uuid.UUID | None] = fk("person.id", "CASCADE", nullable=True, index=False)
    weight: Mapped[float] = mapped_column(sa.Float, nullable=False)
    __table_args__ = (
        sa.CheckConstraint("num_nonnulls(project_id, person_id) = 1", name="one_holder"),
        sa.CheckConstraint("weight > 0", name="weight_positive"),
        sa.UniqueConstraint("project_id"),
        sa.UniqueConstraint("person_id"),
    )


class BudgetThreshold(Base):
    """A share of a budget at which people are warned, in percent."""

    __tablename__ = "budget_threshold"
    budget_id: Mapped[uuid.UUID] = fk("budget.id", "CASCADE", primary_key=True)
    percent: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)


class BudgetExemptTier(Base):
    """A tier whose takes do not count."""

    __tablename__ = "budget_exempt_tier"
    budget_id: Mapped[uuid.UUID] = fk("budget.id", "CASCADE", primary_key=True)
    tier_id: Mapped[uuid.UUID] = fk("tier.id", "CASCADE", primary_key=True)
    __table_args__ = (sa.Index("ix_budget_exempt_tier_tier_id", "tier_id"),)


class BudgetExemptKind(Base):
    """A kind of task that does not count."""

    __tablename__ = "budget_exempt_kind"
    budget_id: Mapped[uuid.UUID] = fk("budget.id", "CASCADE", primary_key=True)
    kind_id: Mapped[TaskKind] = term(TaskKind, primary_key=True)
    __table_args__ = (sa.Index("ix_budget_exempt_kind_kind_id", "kind_id"),)


class BudgetUse(Base):
    """Counters of one holder in one period: equal to the sums over `BudgetReservation` at every commit."""

    __tablename__ = "budget_use"
    budget_id: Mapped[uuid.UUID] = fk("budget.id", "CASCADE", primary_key=True)
    holder_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True)
    period_start: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    settled_s: Mapped[float] = mapped_column(sa.Float, nullable=False, default=0.0)
    reserved_s: Mapped[float] = mapped_column(sa.Float, nullable=False, default=0.0)
    granted_s: Mapped[float] = mapped_column(sa.Float, nullable=False, default=0.0)
    warned_percent: Mapped[int] = mapped_column(sa.SmallInteger, nullable=False, default=0)


class BudgetReservation(Base):
    """A task's place in a budget: reserved at submission from the estimate, settled to what it needed."""

    __tablename__ = "budget_reservation"
    budget_id: Mapped[uuid.UUID] = fk("budget.id", "CASCADE", primary_key=True)
    task_id: Mapped[uuid.UUID] = fk("gpu_task.id", "CASCADE", primary_key=True)
    holder_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, nullable=False)
    period_start: Mapped[date] = mapped_column(sa.Date, nullable=False)
    reserved_s: Mapped[float] = mapped_column(sa.Float, nullable=False)
    settled_s: Mapped[float | None] = mapped_column(sa.Float, nullable=True)
    settled_at: Mapped[datetime | None] = moment()
    admitted_start: Mapped[date | None] = mapped_column(sa.Date, nullable=True)
    """Period in which a hard limit let it in; None where nothing held it back."""
    allowed_s: Mapped[float | None] = mapped_column(sa.Float, nullable=True)
    """What that limit allowed then, in GPU seconds, with what was carried over and granted."""
    __table_args__ = (
        sa.CheckConstraint("num_nulls(admitted_start, allowed_s) IN (0, 2)", name="admitted_whole"),
        sa.Index("ix_budget_reservation_task_id", "task_id"),
        sa.Index("ix_budget_reservation_holder", "budget_id", "holder_id", "settled_at"),
        sa.Index(
            "ix_budget_reservation_unsettled", "budget_id", "holder_id", "task_id",
            postgresql_where=sa.text("settled_at IS NOT NULL AND settled_s IS NULL"),
        ),
    )  # fmt: skip
