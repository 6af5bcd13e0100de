"""Passwords, addresses and the throttle of failed sign-ins."""

from __future__ import annotations

import pytest

from x121lib.access.passwords import hash_password, is_outdated, matches
from x121lib.access.rules import Throttle, TooManyAttemptsError, check_password, clean_email, clean_name
from x121lib.base.clock import ManualClock
from x121lib.base.errors import InvalidInputError

PHRASE = "seven green lanterns"


def test_a_phrase_of_twelve_characters_is_accepted_and_eleven_refused() -> None:
    check_password("lanterns4ada", email="ada@example.com")
    with pytest.raises(InvalidInputError, match="too short: at least 12"):
        check_password("lanterns4ad", email="ada@example.com")


@pytest.mark.parametrize("bad", ["a" * 20, "Ada@Example.com", "x1" * 129])
def test_trivial_and_endless_passwords_are_refused(bad: str) -> None:
    with pytest.raises(InvalidInputError):
        check_password(bad, email="ada@example.com")


def test_addresses_are_stored_in_one_form() -> None:
    assert clean_email("  Ada@Example.COM ") == "ada@example.com"
    for bad in ("ada", "@example.com", "a b@example.com", "ada@", "ada@x\n"[:5] + " y"):
        with pytest.raises(InvalidInputError):
            clean_email(bad)


def test_names_are_trimmed_and_printable() -> None:
    assert clean_name("  Åsa ", what="person") == "Åsa"
    for bad in ("   ", "a\tb", "x" * 201):
        with pytest.raises(InvalidInputError, match="performer's name"):
            clean_name(bad, what="performer")


def test_a_hash_is_argon2id_and_only_its_own_password_matches() -> None:
    stored = hash_password(PHRASE)
    assert stored.startswith("$argon2id$")
    assert matches(stored, PHRASE)
    assert not matches(stored, PHRASE + "!")
    assert not matches("damaged", PHRASE)
    assert not is_outdated(stored)


def test_nobody_is_never_matched_not_even_by_the_dummy_password() -> None:
    assert not matches(None, "nobody's password")


def test_the_throttle_lets_five_failures_pass_then_doubles_the_wait() -> None:
    clock = ManualClock()
    throttle = Throttle(now=clock)
    for _ in range(4):
        throttle.fail("k")
        throttle.check("k")
    for wait_s in (2, 4, 8, 16, 32, 64, 128, 256, 300, 300):
        throttle.fail("k")
        clock.advance(wait_s - 0.5)
        with pytest.raises(TooManyAttemptsError):
            throttle.check("k")
        clock.advance(0.5)
        throttle.check("k")
    throttle.check("other")


def test_a_success_clears_and_the_memory_is_bounded() -> None:
    throttle = Throttle(now=ManualClock(), free=1, capacity=3)
    throttle.fail("a")
    with pytest.raises(TooManyAttemptsError):
        throttle.check("a")
    throttle.clear("a")
    throttle.check("a")
    for number in range(50):
        throttle.fail(f"key {number}")
    assert len(throttle._records) <= 3
