"""`ddsbackup explain timer`: next runs, changes of the clock, and what follows a night."""

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.errors import WrongCall
from cli.explain.night import Night, follow_night
from cli.explain.timers import YEAR, Timer, choose_timers, clock_changes, read_timer
from cli.paths import CHECKOUT
from localcloud.functiongraph.schedule import read_schedule
from shared.drill.schedule import Schedule, Slot, read_hours
from tests.explain.conftest import AT, NOW, Explain


HOUR = timedelta(hours=1)
BERLIN = "CRON_TZ=Europe/Berlin 0 30 2 * * ?"


def timer(kind: str, text: str, name: str = "T") -> Timer:
    """A timer of a function of this folder."""
    schedule = read_schedule("Rate" if text[-1] in "mhd" else "Cron", text, NOW.timestamp())
    return Timer(kind, kind, name, text, schedule)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def test_the_next_runs_are_in_the_zone_and_in_utc(explain: Explain) -> None:
    """The offset from UTC is shown."""
    ran = explain("timer", BERLIN, "--next", "2", *AT)

    assert ran.lines[:3] == [
        BERLIN,
        "  Wed 2026-11-25 02:30:00 +0100   2026-11-25 01:30:00 UTC",
        "  Thu 2026-11-26 02:30:00 +0100   2026-11-26 01:30:00 UTC",
    ]


def test_a_change_of_the_clock_skips_doubles_and_moves_runs(explain: Explain) -> None:
    """Europe changes on the last Sundays of March and October."""
    ran = explain("timer", BERLIN, *AT)

    assert ran.lines[6:-1] == [
        "  2027-03-28 01:00:00 UTC: the clock goes forward by 1 h.",
        "    Skipped, since this time does not exist: 2027-03-28 02:30",
        "    The runs move from 01:30 to 00:30 UTC.",
        "    From the last run before it to the first one after: 1 d 23 h.",
        "  2027-10-31 01:00:00 UTC: the clock goes back by 1 h.",
        "    Occurs twice, and is due the first time: 2027-10-31 02:30",
        "    The runs move from 00:30 to 01:30 UTC.",
        "    From the last run before it to the first one after: 1 d 1 h.",
        "  FunctionGraph's documents do not say this. The local cloud does it this way.",
    ]


def test_a_zone_whose_clock_changes_by_half_an_hour() -> None:
    """Lord Howe Island changes by 30 minutes: half of the runs of the hour are skipped."""
    forward, back = sorted(
        clock_changes(read_timer("CRON_TZ=Australia/Lord_Howe 0 */10 2 * * ?", NOW), NOW, NOW + YEAR),
        key=lambda change: change.forward,
        reverse=True,
    )

    assert (forward.forward, back.forward) == (HOUR / 2, -HOUR / 2)
    assert [f"{moment:%H:%M}" for moment in forward.skipped] == ["02:00", "02:10", "02:20"]
    assert (back.skipped, [f"{moment:%H:%M}" for moment in back.twice]) == ((), [])


@pytest.mark.parametrize("text", ["5m", "0 0 2 * * ?", "CRON_TZ=Asia/Shanghai 0 0 2 * * ?"])
def test_no_change_moves_a_rate_or_a_zone_without_one(text: str) -> None:
    """Nothing is said about changes that there are not."""
    assert clock_changes(read_timer(text, NOW), NOW, NOW + YEAR) == []


@settings(max_examples=15, deadline=None)
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago"]),
    hour=st.integers(0, 3),
    minute=st.integers(0, 59),
)
def test_what_is_said_to_be_skipped_never_runs(zone: str, hour: int, minute: int) -> None:
    """A day of the year without a run has its time among the skipped ones, and the other way round."""
    daily = read_timer(f"CRON_TZ={zone} 0 {minute} {hour} * * ?", NOW)
    skipped = {moment.date() for change in clock_changes(daily, NOW, NOW + YEAR) for moment in change.skipped}
    days = [run.astimezone(daily.zone).date() for run in daily.runs(NOW, NOW + YEAR)]

    assert len(days) == len(set(days))
    missing = {days[0] + timedelta(days=n) for n in range((days[-1] - days[0]).days)} - set(days)
    assert missing == skipped


def night(duration: float, **schedules: str) -> Night:
    """The next night of these timers, whose backups take so many hours."""
    timers = [timer(f"{name}_backup" + "s" * (name != "create"), text) for name, text in schedules.items()]
    (found,) = follow_night(timers, NOW, duration * HOUR)
    return found


SHIPPED = {"create": "0 0 2 * * ?", "track": "5m", "audit": "0 0 6 * * ?", "prune": "0 0 8 * * ?"}


def test_all_functions_have_had_their_turn_after_the_last_of_them() -> None:
    """The runs of a rate count from the deployment, so its turn is at most one interval after the end."""
    found = night(1, **SHIPPED)

    assert found.created == utc("2026-11-25 02:00")
    assert [(turn.timer.kind, turn.at, turn.is_latest) for turn in found.turns] == [
        ("track_backups", utc("2026-11-25 03:05"), True),
        ("audit_backups", utc("2026-11-25 06:00"), False),
        ("prune_backups", utc("2026-11-25 08:00"), False),
    ]
    assert (found.all_done, found.missing, found.overlaps) == (utc("2026-11-25 08:00"), (), ())


def test_a_drill_has_its_turn_too() -> None:
    """If the template has one."""
    assert [turn.timer.kind for turn in night(1, **SHIPPED, drill="0 0 10 * * ?").turns][-1] == "drill_backups"


def test_a_turn_while_backups_run_does_not_count() -> None:
    """The audit and prune of the next day are the first ones after the end, and those of this day overlap."""
    found = night(7, **SHIPPED)

    assert found.all_done == utc("2026-11-26 08:00")
    assert [(one.timer.kind, one.first, one.count == one.runs) for one in found.overlaps] == [
        ("audit_backups", utc("2026-11-25 06:00"), True),
        ("prune_backups", utc("2026-11-25 08:00"), True),
    ]


def test_a_run_at_the_end_of_the_backups_is_no_overlap() -> None:
    """The assumption is an upper bound."""
    assert night(4, **SHIPPED).overlaps == ()


def test_backups_that_take_longer_than_the_interval_overlap_with_themselves() -> None:
    """The next run finds the instances busy."""
    (overlap,) = night(3, create="2h").overlaps

    assert (overlap.timer.kind, overlap.first - overlap.created) == ("create_backup", 2 * HOUR)


def test_an_overlap_of_some_nights_is_counted() -> None:
    """In the summer of Berlin, midnight in UTC is two in the morning."""
    (overlap,) = night(1, create="CRON_TZ=Europe/Berlin 0 30 1 * * ?", prune="0 0 0 * * ?").overlaps

    assert 200 < overlap.count < 230
    assert overlap.first.month == 3


def test_a_function_without_a_timer_is_named() -> None:
    """A disabled timer is none."""
    assert night(1, create="0 0 2 * * ?", audit="0 0 6 * * ?").missing == ("track_backups", "prune_backups")


def test_the_shipped_template(explain: Explain) -> None:
    """All five timers, the night, and the drills."""
    ran = explain("timer", *AT)

    assert (ran.status, ran.err) == (0, "")
    assert "  All have had their turn 6 h after the backups began." in ran.lines
    assert max(map(len, ran.lines)) <= 80
    document = explain("timer", "--json", *AT).json
    assert (document["version"], document["explains"]) == (1, "timer")
    assert [(one["function"], one["timer"]) for one in document["timers"]] == [
        ("create_backup", "Nightly"),
        ("audit_backups", "Morning"),
        ("track_backups", "EveryFiveMinutes"),
        ("prune_backups", "AfterTheBackups"),
        ("drill_backups", "EveryFiveMinutes"),
    ]
    assert document["drills"] == {
        "interval": 30 * 86_400,
        "hours": "10:00-22:00",
        "most_per_week": 7,
        "dry_run": True,
        "instance_id": None,
        "allowed": True,
        "slot": None,
        "next_slot": None,
    }
    assert document["nights"][0]["all_done_after"] == 6 * 3600
    assert document["timers"][0]["next_runs"][0]["utc"] == "2026-11-25T02:00:00Z"


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"


def test_the_next_slot_of_an_instance_is_that_of_its_drill(explain: Explain) -> None:
    """It is the slot of drill_backups at its begin, one interval before the slot after it."""
    schedule, interval = Schedule(timedelta(days=30), read_hours("10:00-22:00")), timedelta(days=30)

    document = explain("timer", "drill_backups", "--instance", ORDERS, "--json", *AT).json["drills"]

    begin, end = (datetime.fromisoformat(document["next_slot"][key].replace("Z", "+00:00")) for key in ("begin", "end"))
    assert NOW < begin <= NOW + interval
    assert schedule.slot(ORDERS, begin) == Slot(begin, end)
    assert document["slot"] is None
    line = f"  Next slot  {begin:%a %Y-%m-%d %H:%M} to {end:%a %Y-%m-%d %H:%M} UTC"
    assert line in explain("timer", "drill_backups", "--instance", ORDERS, *AT).lines


def test_a_slot_that_is_open_is_shown_before_the_next_one(explain: Explain) -> None:
    """From its begin to its end."""
    begin = Schedule(timedelta(days=30), read_hours("10:00-22:00")).slot(ORDERS, NOW).begin

    lines = explain("timer", "drill_backups", "--instance", ORDERS, "--at", begin.isoformat()).lines

    assert [line.split("  ")[1] for line in lines if "lot " in line and " to " in line] == ["Slot now", "Next slot"]


def test_an_instance_has_no_slot_without_drills(explain: Explain) -> None:
    """The message says whose timer is missing."""
    ran = explain("timer", "create_backup", "--instance", ORDERS, *AT)

    assert (ran.status, ran.out) == (2, "")
    assert "the timer of drill_backups" in ran.err


@pytest.mark.parametrize("word", ["create_backup", "Nightly", "create_backup Nightly"])
def test_a_timer_is_named_by_itself_or_its_function(explain: Explain, word: str) -> None:
    """Without what follows the night."""
    document = explain("timer", word, "--json", *AT).json

    assert [one["timer"] for one in document["timers"]] == ["Nightly"]
    assert document["nights"] == []


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("Nighly", "did you mean 'Nightly'"),
        ("0 0 25 * * ?", "'25' is not within 0 to 23"),
        ("99m", "a rate is 1m to 60m"),
    ],
)
def test_a_wrong_word_is_explained(word: str, message: str) -> None:
    """The message says what is expected."""
    with pytest.raises(WrongCall, match=message):
        choose_timers([timer("create_backup", "0 0 2 * * ?", "Nightly")], word, NOW)


def test_a_template_without_timers_says_so(explain: Explain, tmp_path: Path) -> None:
    """So does one whose schedules are parameters without a value."""
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
    text = re.sub(r"^( +schedule): .*$", r"\1: ${Schedule}", text, flags=re.MULTILINE)
    text = text.replace("Parameters:\n", "Parameters:\n  Schedule:\n    Type: String\n", 1)
    (tmp_path / "template.yaml").write_text(text, encoding="utf-8")

    ran = explain("timer", template=tmp_path / "template.yaml")

    assert " ".join(ran.out.split()).endswith("template.yaml has no timer with a known schedule.")


def test_a_date_that_does_not_exist_is_never_due(explain: Explain) -> None:
    """The 30th of February."""
    assert "  never due in the next ten years" in explain("timer", "0 0 2 30 2 ?", *AT).lines
