"""Quality gates: thresholds tried on past takes, and how far gates and reviewers agree."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from x121lib.api.caller import Acting
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given, Name, records
from x121lib.qa.profiles import Profile
from x121lib.studio.quality import MOST_DAYS, effects, in_words
from x121lib.terms.quality import Gate, Outcome

router = APIRouter(route_class=ApiRoute, tags=["quality"])
Days = Annotated[float, Field(gt=0, le=MOST_DAYS, description="How far to look back.")]


class Agreement(BaseModel):
    """How far one gate and the reviewers agree; each share with its 95 % interval."""

    metric: str
    label: str
    decided: int
    precision: float | None = Field(description="Of the cuts that it marked, those that were rejected.")
    precision_low: float
    precision_high: float
    recall: float | None = Field(description="Of the cuts that were rejected, those that it had marked.")
    recall_low: float
    recall_high: float
    false_alarms: float | None = Field(description="Of the cuts that were approved, those that it had marked.")
    false_alarms_low: float
    false_alarms_high: float


@router.get("/quality/agreement", response_model=list[Agreement])
def list_agreement(
    studio: Acting, days: Annotated[float, Query(gt=0, le=MOST_DAYS)] = 90, project: str | None = None
) -> Any:
    """List each gate's precision and recall against the decisions of the last days."""
    return records(studio.quality.agreement(days=days, project=project))


class ProposedGate(Given):
    """A metric and its bounds; what is left out does not apply."""

    metric: Name
    warn_below: float | None = None
    fail_below: float | None = None
    warn_above: float | None = None
    fail_above: float | None = None


class Proposal(Given):
    """Thresholds to try."""

    profile: Name = Field(description="The profile whose takes are looked at, and that it is compared with.")
    gates: Annotated[list[ProposedGate], Field(min_length=1, max_length=200)]
    days: Days = 7
    project: Name | None = None


class Effect(BaseModel):
    """Takes by what one gate says of them, now and with the proposed thresholds."""

    metric: str
    passed_now: int
    passed_then: int
    borderline_now: int
    borderline_then: int
    failed_now: int
    failed_then: int
    unmeasured: int


class WhatIf(BaseModel):
    """What the proposed thresholds would have said."""

    takes: int
    fail_now: int
    fail_then: int
    words: str
    gates: list[Effect]


@router.post("/quality/what-if", response_model=WhatIf)
def try_thresholds(studio: Acting, given: Proposal) -> Any:
    """Say what thresholds would have said of the takes of the last days; nothing is changed."""
    gates = tuple(Gate(**gate.model_dump()) for gate in given.gates)
    profile = Profile(given.profile, "Proposed.", gates)
    found = studio.quality.what_if(profile, days=given.days, project=given.project)
    return {
        "takes": found.takes, "fail_now": found.count(Outcome.FAIL, then=False),
        "fail_then": found.count(Outcome.FAIL, then=True), "words": in_words(found, given.days),
        "gates": records(effects(found)),
    }  # fmt: skip
