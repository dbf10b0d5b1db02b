"""When timers are due."""

from datetime import datetime, timedelta, timezone
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.functiongraph.schedule import read_schedule


UTC = timezone.utc


def due(schedule: str, after: str, until: str, kind: str = "Cron", at_most: int = 100) -> list[str]:
    """The due times between two times, in UTC and without zero seconds."""
    begin, end = (datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in (after, until))
    found = islice(read_schedule(kind, schedule, begin).due_times(begin, end), at_most)
    return [datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00") for moment in found]


@pytest.mark.parametrize(
    ("schedule", "first"),
    [
        ("0 0 2 * * ?", ["2026-03-01 02:00", "2026-03-02 02:00"]),
        ("0 0 2 * *", ["2026-03-01 02:00", "2026-03-02 02:00"]),
        ("CRON_TZ=Europe/Berlin 0 0 12 * * *", ["2026-03-01 11:00", "2026-03-02 11:00"]),
        ("CRON_TZ=Asia/Shanghai 0 30 1 ? * *", ["2026-03-01 17:30", "2026-03-02 17:30"]),
        ("0 26,29,33 * * * *", ["2026-03-01 00:26", "2026-03-01 00:29", "2026-03-01 00:33", "2026-03-01 01:26"]),
        ("0 30 12 ? * MON-FRI", ["2026-03-02 12:30", "2026-03-03 12:30"]),
        ("0 0/5 12-14 ? * MON-FRI", ["2026-03-02 12:00", "2026-03-02 12:05"]),
        ("0 0 12 ? APR *", ["2026-04-01 12:00"]),
        ("0 1/20 0 * * ?", ["2026-03-01 00:01", "2026-03-01 00:21", "2026-03-01 00:41", "2026-03-02 00:01"]),
        ("15 0 0 1 * ?", ["2026-03-01 00:00:15", "2026-04-01 00:00:15"]),
        ("0 0 0 ? * sun", ["2026-03-08", "2026-03-15"]),
        ("0 0 0 ? * 0", ["2026-03-08", "2026-03-15"]),
        ("0 0 0 13 * FRI", ["2026-03-06", "2026-03-13", "2026-03-20"]),
    ],
)
def test_cron(schedule: str, first: list[str]) -> None:
    """Fields, names, steps, ranges, zones and question marks work as the user guide says."""
    found = [
        time.removesuffix(" 00:00")
        for time in due(schedule, "2026-03-01T00:00:00", "2026-04-10T00:00:00", at_most=10_000)
    ]

    assert found[: len(first)] == first


@pytest.mark.parametrize(
    ("schedule", "kind", "found"),
    [
        ("20m", "Rate", ["2026-03-01 00:20", "2026-03-01 00:40", "2026-03-01 01:00"]),
        ("1h", "Rate", ["2026-03-01 01:00"]),
        ("@every 25m", "Cron", ["2026-03-01 00:25", "2026-03-01 00:50"]),
        ("@every 0.5h", "Cron", ["2026-03-01 00:30", "2026-03-01 01:00"]),
        ("@every 20m30s", "Cron", ["2026-03-01 00:20:30", "2026-03-01 00:41", "2026-03-01 01:01:30"]),
    ],
)
def test_rate(schedule: str, kind: str, found: list[str]) -> None:
    """A rate counts from when the timer was enabled."""
    assert due(schedule, "2026-03-01T00:00:00", "2026-03-01T01:02:00", kind) == found


@pytest.mark.parametrize(
    ("schedule", "kind"),
    [
        ("0m", "Rate"),
        ("61m", "Rate"),
        ("25h", "Rate"),
        ("31d", "Rate"),
        ("5", "Rate"),
        ("5s", "Rate"),
        ("@every", "Cron"),
        ("@every 5", "Cron"),
        ("@every 10ms", "Cron"),
        ("0 0 2", "Cron"),
        ("60 0 2 * * ?", "Cron"),
        ("0 0 24 * * ?", "Cron"),
        ("0 0 2 0 * ?", "Cron"),
        ("0 0 2 * 13 ?", "Cron"),
        ("0 0 2 ? * 7", "Cron"),
        ("0 0 2 ? * FUN", "Cron"),
        ("? 0 2 * * *", "Cron"),
        ("0 5-2 2 * * ?", "Cron"),
        ("0 0/0 2 * * ?", "Cron"),
        ("CRON_TZ=Europe 0 0 2 * * ?", "Cron"),
    ],
)
def test_invalid_schedules(schedule: str, kind: str) -> None:
    """Schedules that the user guide does not allow are refused."""
    with pytest.raises(ValueError, match=r"."):
        read_schedule(kind, schedule, 0.0)


def test_daylight_saving_time() -> None:
    """In Berlin 02:30 is not due on the day it is skipped, and due once on the day it occurs twice."""
    daily = "CRON_TZ=Europe/Berlin 0 30 2 * * ?"

    assert due(daily, "2026-03-28T12:00:00", "2026-03-30T12:00:00") == ["2026-03-30 00:30"]
    assert due(daily, "2026-10-24T12:00:00", "2026-10-26T12:00:00") == ["2026-10-25 00:30", "2026-10-26 01:30"]
    assert due(daily, "2026-10-25T00:00:00", "2026-10-25T01:10:00") == ["2026-10-25 00:30"]


def test_very_many_due_times() -> None:
    """Of very many due times the first ones come at once: nothing counts them all."""
    found = due("* * * * * *", "2026-03-01T00:00:00", "2036-03-01T00:00:00", at_most=3)

    assert found == ["2026-03-01 00:00:01", "2026-03-01 00:00:02", "2026-03-01 00:00:03"]


@given(
    fields=st.tuples(
        st.sampled_from(["0", "30", "*/20"]),
        st.sampled_from(["0", "*", "5/25", "10-20", "1,59"]),
        st.sampled_from(["*", "2", "0-3", "22/1"]),
        st.sampled_from(["*", "?", "1", "29-31", "*/7"]),
        st.sampled_from(["*", "2", "MAR-APR", "10"]),
        st.sampled_from(["*", "?", "SUN", "1-5", "6,0"]),
    ),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Shanghai", "America/New_York"]),
    begin=st.integers(1_767_225_600, 1_798_761_600),
    hours=st.integers(1, 30),
)
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_cron_against_every_second(fields: tuple[str, ...], zone: str, begin: int, hours: int) -> None:
    """The due times are those found by checking every second of the zone's clock against the fields."""
    tz = ZoneInfo(zone)
    start, end = begin, begin + hours * 3600
    allowed = [values(field, *bounds) for field, bounds in zip(fields, BOUNDS, strict=True)]
    expected = []
    for moment in range(start + 1, end + 1):
        if moment % 10 == 0:
            local = datetime.fromtimestamp(moment, tz)
            time_fits = (
                local.second in allowed[0]
                and local.minute in allowed[1]
                and local.hour in allowed[2]
                and not local.fold
            )
            if time_fits and local.month in allowed[4] and day_fits(local, fields, allowed):
                expected.append(float(moment))

    cron = read_schedule("Cron", f"CRON_TZ={zone} {' '.join(fields)}", 0.0)
    assert list(cron.due_times(start, end)) == expected


BOUNDS = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
NAMES = {"MAR": 3, "APR": 4, "SUN": 0}


def values(field: str, low: int, high: int) -> set[int]:
    """The values of a field, computed in another way than in the code under test."""
    found = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        for name, number in NAMES.items():
            span = span.replace(name, str(number))
        first, _, last = span.partition("-")
        begin = low if span in "*?" else int(first)
        end = int(last) if last else high if step or span in "*?" else begin
        found |= {
            value for value in range(low, high + 1) if begin <= value <= end and (value - begin) % int(step or 1) == 0
        }
    return found


def day_fits(local: datetime, fields: tuple[str, ...], allowed: list[set[int]]) -> bool:
    """Whether the day matches: one field is enough if both are restricted."""
    of_month, of_week = local.day in allowed[3], (local.weekday() + 1) % 7 in allowed[5]
    both_given = fields[3] not in "*?" and fields[5] not in "*?"
    return of_month or of_week if both_given else of_month and of_week


def test_the_interval_is_half_open() -> None:
    """An interval includes its end and not its beginning, so no time is due twice in consecutive intervals."""
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    cron = read_schedule("Cron", "0 0 12 * * ?", 0.0)
    before, after = ((noon + timedelta(hours=hours)).timestamp() for hours in (-1, 1))

    assert list(cron.due_times(before, noon.timestamp())) == [noon.timestamp()]
    assert list(cron.due_times(noon.timestamp(), after)) == []
