"""How estimates stood the test, and how fast takes are made where: panels beside the budgets."""

from __future__ import annotations

from typing import Any

from x121lib.pipeline import histories
from x121lib.scheduling import prediction
from x121lib.studio.pages.desk import Desk
from x121lib.studio.pages.words import iso

TESTED, SHOWN, SPEEDS = 200, 14, 40
"""Newest batches that the share is of, those that are drawn, and kinds of takes whose speed is listed."""


def calibration(desk: Desk) -> dict[str, Any]:
    """Return how many of the newest estimated batches needed what their 80 % interval said, and the newest of them."""
    rows = histories.calibration(desk.session, limit=TESTED)
    inside = sum(bool(row["inside"]) for row in rows)
    low, high = prediction.wilson(inside, len(rows))
    return {
        "n": len(rows), "inside": inside, "low": low, "high": high, "promised": prediction.SHARE,
        "rows": [{**row, "at": iso(row["at"])} for row in rows[:SHOWN]],  # type: ignore[arg-type]
    }  # fmt: skip


def speeds(desk: Desk) -> dict[str, Any]:
    """Return the mean GPU seconds of a take by kind and worker; None where a worker has made none of a kind."""
    rows = histories.speeds(desk.session)
    workers = sorted({str(row["worker"]) for row in rows})
    kinds: dict[tuple[Any, ...], dict[str, dict[str, Any]]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("workflow", "version", "tier", "width", "height"))
        kinds.setdefault(key, {})[str(row["worker"])] = {"mean_s": row["mean_s"], "takes": row["takes"]}
    return {
        "workers": workers, "more": max(0, len(kinds) - SPEEDS),
        "rows": [
            {"workflow": f"{name} v{number}", "tier": tier, "size": f"{width}×{height}",
             "cells": [by.get(worker) for worker in workers]}
            for (name, number, tier, width, height), by in list(kinds.items())[:SPEEDS]
        ],
    }  # fmt: skip
