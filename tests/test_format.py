"""Times, durations, sizes and counts as people read them."""

from datetime import datetime, timedelta, timezone

import pytest

from shared.format import counted, did_you_mean, duration, excerpt, gigabytes, size, timestamp


def test_a_timestamp_is_rfc_3339_in_utc() -> None:
    """None stays None."""
    moment = datetime(2026, 6, 1, 4, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=2)))

    assert timestamp(moment) == "2026-06-01T02:00:00Z"
    assert timestamp(moment, "milliseconds") == "2026-06-01T02:00:00.123Z"
    assert timestamp(None) is None


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (63, "1 min 3 s"),
        (timedelta(minutes=45), "45 min"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (timedelta(hours=26), "1 d 2 h"),
        (timedelta(days=3, seconds=1), "3 d 1 s"),
        (timedelta(days=90, hours=1, minutes=1), "90 d 1 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(length: timedelta | float, text: str) -> None:
    """Units that are zero are left out, and the rest is rounded down."""
    assert duration(length) == text


@pytest.mark.parametrize(
    ("kilobytes", "text"),
    [
        (0, "0 KB"),
        (900, "900 KB"),
        (1536, "1.5 MB"),
        (2_621_440, "2.5 GB"),
        (3 * 1024**3, "3 TB"),
        (1024**4, "1024 TB"),
    ],
)
def test_a_size_has_the_unit_that_fits(kilobytes: int, text: str) -> None:
    """DDS gives sizes in KB."""
    assert size(kilobytes) == text


def test_sizes_can_be_compared_in_gigabytes() -> None:
    """The result has two digits."""
    assert gigabytes(3 * 1024**2 + 1024**2 // 2) == 3.5


def test_a_noun_agrees_with_its_number() -> None:
    """Large numbers have separators."""
    assert [counted(number, "backup") for number in (0, 1, 2000)] == ["0 backups", "1 backup", "2,000 backups"]


def test_a_long_value_is_shortened() -> None:
    """A message stays readable."""
    assert excerpt("short") == "'short'"
    assert len(excerpt("x" * 1000)) == 60


def test_a_misspelt_name_gets_the_closest_suggestion() -> None:
    """A name that resembles none gets no suggestion."""
    assert did_you_mean("dayly", ["daily", "weekly"]) == " (did you mean daily?)"
    assert not did_you_mean("xyz", ["daily", "weekly"])
