"""Times, durations, sizes and suggestions as text."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.format import counted, did_you_mean, duration, excerpt, gigabytes, size, timestamp


def test_a_time_is_formatted_in_utc() -> None:
    """The format is that of RFC 3339, with "Z" for UTC; None stays None."""
    moment = datetime(2026, 6, 1, 4, 0, 0, 5000, tzinfo=timezone(timedelta(hours=2)))

    assert timestamp(moment) == "2026-06-01T02:00:00Z"
    assert timestamp(moment, "milliseconds") == "2026-06-01T02:00:00.005Z"
    assert timestamp(None) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.9, "0 s"),
        (59, "59 s"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (2700, "45 min"),
        (90_061, "1 d 1 h"),
        (timedelta(days=3, hours=4, minutes=59), "3 d 4 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: timedelta | float, text: str) -> None:
    """It is rounded down."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("kilobytes", "text"),
    [(0, "0 KB"), (900, "900 KB"), (1024, "1 MB"), (2_621_440, "2.5 GB"), (2**31, "2 TB"), (2**41, "2048 TB")],
)
def test_a_size_has_the_largest_unit_that_fits(kilobytes: int, text: str) -> None:
    """DDS gives sizes in KB."""
    assert size(kilobytes) == text


def test_kilobytes_are_converted_to_gigabytes() -> None:
    """They are rounded to two digits."""
    assert gigabytes(2_621_440) == 2.5
    assert gigabytes(1) == 0


def test_a_count_is_followed_by_its_noun() -> None:
    """The noun is plural unless the count is one."""
    assert [counted(n, "backup") for n in (0, 1, 2, 1200)] == ["0 backups", "1 backup", "2 backups", "1,200 backups"]


@given(st.text() | st.lists(st.integers()))
def test_an_excerpt_has_at_most_60_characters(value: object) -> None:
    """It is the start of the repr."""
    text = excerpt(value)

    assert len(text) <= 60
    assert repr(value).startswith(text.removesuffix("...")) or repr(value) == text


def test_the_closest_known_name_is_suggested() -> None:
    """If none is close, there is no suggestion."""
    assert did_you_mean("descripton", ["name", "description"]) == " (did you mean description?)"
    assert did_you_mean("colour", ["name", "description"]) == ""
