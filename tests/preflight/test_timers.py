"""The next runs of timers, and the faults of their requests."""

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.preflight.timers import next_times, request_faults
from localcloud.functiongraph.schedule import read_schedule
from shared.create.request import BackupRequest


DAY = 86_400
NOON = datetime(2026, 11, 24, 12, tzinfo=timezone.utc).timestamp()


def runs(kind: str, schedule: str) -> list[str]:
    """The next runs after noon on a day, in UTC."""
    found = next_times(read_schedule(kind, schedule, NOON), NOON)
    return [datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%d %H:%M:%S") for moment in found]


@pytest.mark.parametrize(
    ("kind", "schedule", "expected"),
    [
        ("Rate", "1d", ["2026-11-25 12:00:00", "2026-11-26 12:00:00", "2026-11-27 12:00:00"]),
        ("Cron", "* * * * * ?", ["2026-11-24 12:00:01", "2026-11-24 12:00:02", "2026-11-24 12:00:03"]),
        ("Cron", "@every 90m", ["2026-11-24 13:30:00", "2026-11-24 15:00:00", "2026-11-24 16:30:00"]),
        ("Cron", "0 0 0 29 2 ?", ["2028-02-29 00:00:00", "2032-02-29 00:00:00", "2036-02-29 00:00:00"]),
        # The clocks of Berlin go forward on 2027-03-28: half past two is skipped that day.
        (
            "Cron",
            "CRON_TZ=Europe/Berlin 0 30 2 27-29 3 ?",
            ["2027-03-27 01:30:00", "2027-03-29 00:30:00", "2028-03-27 00:30:00"],
        ),
        ("Cron", "0 0 0 30 2 ?", []),
    ],
)
def test_the_next_runs(kind: str, schedule: str, expected: list[str]) -> None:
    """There are three after the present, however far away, or none if the date does not exist."""
    assert runs(kind, schedule) == expected


@given(st.integers(0, 59), st.integers(0, 23), st.integers(0, 400 * DAY))
def test_the_next_runs_are_the_first_that_are_due(minute: int, hour: int, later: int) -> None:
    """The local cloud fires the timer at these times and at no time before them."""
    schedule = read_schedule("Cron", f"0 {minute} {hour} * * ?", 0.0)
    after = NOON + later

    assert next_times(schedule, after) == list(schedule.due_times(after, after + 3 * DAY))[:3]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ["instance_ids: name at least one instance: instance_ids (a list), instance_id, backup, or select"]),
        ('{"instance_id": "a"}', []),
        (
            '{"instance_id" "a"}',
            ["not JSON: Expecting ':' delimiter at line 1, column 16, between '{\"instance_id\" '"],
        ),
        ('{\n "name": 1,}', ["not JSON: Expecting property name enclosed in double quotes at line 2, column 12"]),
        ('{"instance_id": "a", "nmae": "x"}', ["nmae: unknown field (did you mean name?)"]),
        ("[" * 3_000, ["not JSON (RecursionError)"]),
        ('{"instance_id": ' + "1" * 5_000 + "}", ["not JSON (ValueError)"]),
    ],
)
def test_the_faults_of_a_request(text: str, faults: list[str]) -> None:
    """Each is in the words of the function, and JSON has the position of its first fault."""
    found = request_faults(BackupRequest, text)

    assert len(found) == len(faults)
    assert all(one.startswith(start) for one, start in zip(found, faults, strict=True))
