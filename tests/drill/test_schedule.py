"""Every instance has one slot in each interval, in the hours, whatever else there is."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.drill.schedule import Hours, Schedule, Window, read_hours
from shared.identity import stable_fraction


DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
IDS = st.text("0123456789abcdef", min_size=1, max_size=32)
MOMENTS = st.integers(0, 2 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, timezone.utc))
HOURS = st.builds(
    Hours,
    st.integers(0, 24 * 60 - 1).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(120, 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
)
SCHEDULES = st.builds(Schedule, st.integers(1, 366).map(lambda days: days * DAY), HOURS)


@given(SCHEDULES, IDS, MOMENTS)
def test_slots_are_an_interval_apart(schedule: Schedule, instance_id: str, now: datetime) -> None:
    """Each interval has exactly one, and whoever asks at any time finds the same."""
    slot = schedule.slot(instance_id, now)

    assert slot.begin <= now < slot.begin + schedule.interval
    assert schedule.slot(instance_id, slot.begin) == slot
    assert schedule.slot(instance_id, slot.begin - timedelta(microseconds=1)).begin == slot.begin - schedule.interval
    assert schedule.slot(instance_id, slot.begin + schedule.interval).begin == slot.begin + schedule.interval


@given(SCHEDULES, IDS, MOMENTS)
def test_a_slot_begins_in_the_hours_and_leaves_an_hour(schedule: Schedule, instance_id: str, now: datetime) -> None:
    """A drill can begin at once, and for at least an hour."""
    slot = schedule.slot(instance_id, now)

    assert schedule.hours.contains(slot.begin)
    assert schedule.hours.contains(slot.begin + HOUR - timedelta(seconds=1))
    assert slot.begin.microsecond == 0


@given(SCHEDULES, IDS, MOMENTS)
def test_a_slot_ends_when_the_hours_close(schedule: Schedule, instance_id: str, now: datetime) -> None:
    """It lasts at most a week, and is over before the next one begins."""
    slot = schedule.slot(instance_id, now)

    assert schedule.hours.contains(slot.end - timedelta(seconds=1))
    assert schedule.hours.length == DAY or not schedule.hours.contains(slot.end)
    assert HOUR <= slot.end - slot.begin <= 7 * DAY
    following = schedule.slot(instance_id, slot.begin + schedule.interval)
    assert slot.end <= following.begin


def test_a_fleet_is_spread_over_the_days() -> None:
    """Three hundred instances begin on thirty days, about ten each."""
    schedule = Schedule(30 * DAY, read_hours("10:00-22:00"))
    now = datetime(2026, 11, 24, tzinfo=timezone.utc)

    days = [schedule.slot(f"instance-{number}", now).begin.date() for number in range(300)]

    counts = [days.count(day) for day in set(days)]
    assert len(counts) >= 29
    assert max(counts) <= 25


def test_a_slot_follows_from_the_digest_of_the_instance() -> None:
    """A fraction of the interval chooses the day, and what is left of it the time."""
    slot = Schedule(10 * DAY, read_hours("20:00-04:00")).slot("shop", datetime(2026, 11, 24, tzinfo=timezone.utc))

    day, rest = divmod(stable_fraction("shop") * 10, 1)
    begin = datetime(1970, 1, 1, 20, tzinfo=timezone.utc) + day * DAY + int(rest * 7 * 3600) * timedelta(seconds=1)
    assert (slot.begin - begin) % (10 * DAY) == timedelta(0)
    assert (slot.end.hour, slot.end.minute) == (4, 0)
    assert timedelta(days=6) < slot.end - slot.begin <= timedelta(days=7)


@pytest.mark.parametrize(
    ("text", "opens", "length"),
    [("10:00-22:00", 10, 12), ("22:00-04:00", 22, 6), ("00:00-24:00", 0, 24), ("22:00-24:00", 22, 2)],
)
def test_hours_are_read_and_written(text: str, opens: int, length: int) -> None:
    """They may cross midnight, and be the whole day."""
    hours = read_hours(text)

    assert hours == Hours(opens * HOUR, length * HOUR)
    assert str(hours) == text
    assert read_hours(hours) is hours


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("10-22", 'such as "10:00-22:00"'),
        ("10:00-25:00", 'such as "10:00-22:00"'),
        (7, 'such as "10:00-22:00"'),
        ("20:00-24:30", "must end at 24:00 at the latest"),
        ("10:00-10:00", "at least two hours"),
        ("10:00-11:59", "at least two hours"),
    ],
)
def test_wrong_hours_are_refused(value: object, fault: str) -> None:
    """The message says what was found, and what is right."""
    with pytest.raises(ValueError, match=fault):
        read_hours(value)


@pytest.mark.parametrize(("clock", "inside"), [("21:59", False), ("22:00", True), ("03:59", True), ("04:00", False)])
def test_hours_that_cross_midnight(clock: str, inside: bool) -> None:
    """They end on the next day."""
    moment = datetime.fromisoformat(f"2026-11-24T{clock}:00+00:00")

    assert read_hours("22:00-04:00").contains(moment) is inside


@given(MOMENTS, st.integers(1, 1800), st.integers(-10_000, 10_000))
def test_each_moment_is_in_two_windows_and_fresh_in_one(start: datetime, seconds: int, offset: int) -> None:
    """A run that does not come is made up for by the next."""
    period, moment = timedelta(seconds=seconds), start + timedelta(seconds=offset)
    first = int(timedelta(seconds=offset) / period) - 3

    windows = [Window.of(start + period * number, period) for number in range(first, first + 8)]

    assert sum(window.contains(moment) for window in windows) == 2
    assert sum(window.fresh_since < moment <= window.until for window in windows) == 1


def test_hours_are_shown_as_they_are_written() -> None:
    """To the minute."""
    assert str(read_hours("10:31-22:45")) == "10:31-22:45"
