"""The likeness gate, tried with every combination of what a release can lack."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from x121lib.access.cover import COVERED, Cover, CoverQuestion, Missing, PerformerFacts, ReleaseFacts, cover
from x121lib.terms.vocabulary import PerformerKind, ReleasePurpose

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ADA = PerformerFacts("Ada", PerformerKind.REAL, adult_verified_at=NOW - 90 * DAY)
RELEASE = ReleaseFacts(
    valid_from=NOW - 30 * DAY,
    valid_until=NOW + 30 * DAY,
    revoked_at=None,
    purposes=frozenset({ReleasePurpose.GENERATE}),
    projects=frozenset({"Spring"}),
    variant_kinds=frozenset({"clothed"}),
    transition_modes=frozenset({"coat_off"}),
)
ASK = CoverQuestion(("clothed",), "coat_off", "Spring", ReleasePurpose.GENERATE, NOW)
FLAWS: dict[Missing, dict[str, Any]] = {
    Missing.REVOKED: {"revoked_at": NOW - DAY},
    Missing.NOT_YET_VALID: {"valid_from": NOW + DAY},
    Missing.ENDED: {"valid_until": datetime(2026, 5, 1, tzinfo=UTC)},
    Missing.PURPOSE: {"purposes": frozenset({ReleasePurpose.SHARE})},
    Missing.PROJECT: {"projects": frozenset({"Autumn"})},
    Missing.VARIANT_KIND: {"variant_kinds": frozenset({"evening"})},
    Missing.TRANSITION_MODE: {"transition_modes": frozenset()},
}
REASONS = {
    Missing.REVOKED: "The release of 'Ada' was revoked on 14 June 2026.",
    Missing.NOT_YET_VALID: "The release of 'Ada' begins on 16 June 2026.",
    Missing.ENDED: "The release of 'Ada' ended on 1 May 2026.",
    Missing.PURPOSE: "No release of 'Ada' covers the purpose 'generate'.",
    Missing.PROJECT: "No release of 'Ada' covers the project 'Spring'.",
    Missing.VARIANT_KIND: "No release of 'Ada' covers variant kind 'clothed'.",
    Missing.TRANSITION_MODE: "No release of 'Ada' covers transition mode 'coat_off'.",
}


def _flawed(*flaws: Missing) -> ReleaseFacts:
    changes = {name: value for flaw in flaws for name, value in FLAWS[flaw].items()}
    return replace(RELEASE, **changes)


def test_a_release_that_fits_covers() -> None:
    assert cover(ADA, [RELEASE], ASK) == COVERED


@pytest.mark.parametrize("flaw", FLAWS)
def test_each_single_flaw_is_named(flaw: Missing) -> None:
    assert cover(ADA, [_flawed(flaw)], ASK) == Cover(ok=False, reason=REASONS[flaw], missing=flaw)


def test_every_combination_of_flaws_uncovers_and_the_first_is_named() -> None:
    order = list(Missing)
    for size in range(1, len(FLAWS) + 1):
        for flaws in itertools.combinations(FLAWS, size):
            answer = cover(ADA, [_flawed(*flaws)], ASK)
            assert not answer.ok
            assert answer.missing is min(flaws, key=order.index)


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(FLAWS, 2)))
def test_two_half_fitting_releases_do_not_add_up(one: Missing, other: Missing) -> None:
    answer = cover(ADA, [_flawed(one), _flawed(other)], ASK)
    assert not answer.ok
    assert answer.missing is max(one, other, key=list(Missing).index)


@pytest.mark.parametrize("flaw", FLAWS)
def test_one_fitting_release_among_flawed_ones_suffices(flaw: Missing) -> None:
    assert cover(ADA, [_flawed(flaw), RELEASE, _flawed(flaw)], ASK).ok


def test_without_any_release_the_reason_says_so() -> None:
    answer = cover(ADA, [], ASK)
    assert answer.missing is Missing.RELEASE
    assert answer.reason == "No likeness release of 'Ada' is recorded."


def test_without_adult_verification_no_release_covers() -> None:
    answer = cover(replace(ADA, adult_verified_at=None), [RELEASE], ASK)
    assert answer.missing is Missing.ADULT_VERIFICATION
    assert "'Ada' is an adult has not been verified" in answer.reason


def test_a_synthetic_performer_is_always_covered() -> None:
    lena = PerformerFacts("Lena", PerformerKind.SYNTHETIC)
    assert cover(lena, [], ASK).ok
    assert cover(lena, [_flawed(*FLAWS)], ASK).ok


def test_a_scope_of_all_covers_names_it_never_heard_of() -> None:
    everything = replace(RELEASE, projects=None, variant_kinds=None, valid_until=None)
    assert cover(ADA, [everything], replace(ASK, variant_kinds=("brand_new",), project="Other")).ok


@pytest.mark.parametrize("mode", [None, "normal"])
def test_the_normal_transition_needs_no_mention(mode: str | None) -> None:
    assert cover(ADA, [_flawed(Missing.TRANSITION_MODE)], replace(ASK, transition_mode=mode)).ok


def test_an_empty_scope_covers_nothing() -> None:
    nothing = replace(RELEASE, variant_kinds=frozenset())
    assert cover(ADA, [nothing], ASK).missing is Missing.VARIANT_KIND


def test_a_transition_needs_every_kind_that_it_shows() -> None:
    ask = replace(ASK, variant_kinds=("clothed", "evening"))
    answer = cover(ADA, [RELEASE], ask)
    assert answer.reason == "No release of 'Ada' covers variant kind 'evening'."
    assert cover(ADA, [replace(RELEASE, variant_kinds=frozenset({"clothed", "evening"}))], ask).ok


@pytest.mark.parametrize(
    ("at", "ok"),
    [
        (RELEASE.valid_from - timedelta(microseconds=1), False),
        (RELEASE.valid_from, True),
        (NOW + 30 * DAY - timedelta(microseconds=1), True),
        (NOW + 30 * DAY, False),
    ],
)
def test_validity_is_half_open(at: datetime, ok: bool) -> None:
    assert cover(ADA, [RELEASE], replace(ASK, at=at)).ok is ok


def test_of_several_ended_releases_the_last_end_is_named() -> None:
    early, late = _flawed(Missing.ENDED), replace(RELEASE, valid_until=datetime(2026, 6, 1, tzinfo=UTC))
    assert cover(ADA, [late, early], ASK).reason == "The release of 'Ada' ended on 1 June 2026."
