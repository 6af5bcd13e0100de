"""Plan and prompts: exact arithmetic in frames, templates."""

from __future__ import annotations

import uuid
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x121lib.base.errors import InvalidInputError
from x121lib.generation import plan, prompts
from x121lib.terms.ranges import FrameRange

RATES = [Fraction(24), Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)]


def facts(n_frames: int, boundary: int | None = None) -> plan.TakeFacts:
    return plan.TakeFacts(uuid.uuid4(), n_frames, n_frames - 1 if boundary is None else boundary)


@given(st.decimals("0.5", "120", places=2), st.decimals("0.5", "20", places=2), st.sampled_from(RATES))
def test_a_plan_meets_its_target_with_no_segment_too_many(target: Decimal, segment: Decimal, rate: Fraction) -> None:
    made = plan.plan_scene(target, segment, rate)
    assert made.n_frames >= made.target_frames
    assert made.n_frames - made.segment_frames[-1] < made.target_frames
    assert Fraction(made.target_frames) / rate >= Fraction(target)
    assert Fraction(made.target_frames - 1) / rate < Fraction(target)


def test_ntsc_seconds_do_not_lose_a_frame() -> None:
    assert plan.frames_for(Decimal(1001), Fraction(24000, 1001)) == 24000
    assert plan.frames_for(Decimal("0.1"), Fraction(24)) == 3


@pytest.mark.parametrize(("target", "segment"), [("6", "0.01"), ("0.01", "2"), ("0", "2")])
def test_a_duration_below_two_frames_is_refused(target: str, segment: str) -> None:
    with pytest.raises(InvalidInputError, match="is no scene"):
        plan.plan_scene(Decimal(target), Decimal(segment), Fraction(24))


def test_a_slip_in_the_durations_does_not_plan_thousands_of_takes() -> None:
    assert len(plan.plan_scene(Decimal(500), Decimal(1), Fraction(24)).segment_frames) == plan.MAX_SEGMENTS
    with pytest.raises(InvalidInputError, match="501 segments"):
        plan.plan_scene(Decimal(501), Decimal(1), Fraction(24))


@given(st.lists(st.integers(2, 60), min_size=1, max_size=8), st.booleans())
def test_the_duplicate_is_dropped_once_a_seam_and_only_where_there_is_one(counts: list[int], repeats: bool) -> None:
    cut = plan.cut_of([facts(n) for n in counts], repeats_seed_frame=repeats)
    dropped = len(counts) - 1 if repeats else 0
    assert sum(len(part) for part in cut) == sum(counts) - dropped
    assert cut[0].start == 0


def test_a_take_is_used_up_to_its_boundary_frame() -> None:
    cut = plan.cut_of([facts(49, boundary=40), facts(49)], repeats_seed_frame=True)
    assert cut == [FrameRange(0, 41), FrameRange(1, 49)]
    assert plan.target_reached(cut, 89)
    assert not plan.target_reached(cut, 90)


def test_the_boundary_frame_is_the_last_and_an_empty_take_has_none() -> None:
    assert plan.boundary_frame(49) == 48
    with pytest.raises(InvalidInputError):
        plan.boundary_frame(0)


def test_seeds_differ_by_scene_segment_and_take_and_can_be_rebuilt() -> None:
    scenes = [uuid.UUID(int=1), uuid.UUID(int=2)]
    seeds = [plan.seed_for(scene, segment, take) for scene in scenes for segment in (1, 2, 11) for take in (1, 2)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**48 for seed in seeds)
    assert plan.seed_for(scenes[0], 1, 1) == seeds[0]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{display_name} dances", "Mara dances"),
        ("{display_name}, {hair_color} hair", "Mara, hair"),
        ("a {hair_color} portrait", "a portrait"),
        ("no slots", "no slots"),
        ("{Display} stays", "{Display} stays"),
        ("{age} and {age}", "31 and 31"),
    ],
)
def test_slots_are_filled_and_one_without_a_value_falls_away(template: str, expected: str) -> None:
    assert prompts.resolve(template, {"display_name": "Mara", "age": 31}) == expected


def test_a_value_that_looks_like_a_slot_is_not_filled_again() -> None:
    assert prompts.resolve("{bio}", {"bio": "{age}", "age": 31}) == "{age}"


def test_slots_are_listed_once_in_order() -> None:
    assert prompts.slots_of("{b} {a} {b}") == ["b", "a"]
