"""The strip of 90 days: what each day says, and what it may not say."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.report.strip import DAYS, Kind, Pruning, Strip, make_strip
from shared.model import Backup, BackupJob
from shared.prune.retention import read_retention
from tests.report.conftest import DAY, HOUR, NIGHTLY, NOW, backup


def strip(backups: list[Backup], jobs: list[BackupJob] | None = None, retention: str | None = None) -> str:
    """The letters of an instance with a nightly target."""
    pruning = Pruning(read_retention(retention)) if retention else Pruning()
    return make_strip(backups, [], jobs or [], NIGHTLY, pruning, NOW).letters


def nightly(*days: int) -> list[Backup]:
    """Good backups at two in the morning of so many days ago."""
    return [backup(day * DAY + 19 * HOUR) for day in days]


def test_a_good_night_each_day() -> None:
    """Nothing is expected before the first."""
    assert strip(nightly(*range(5))) == "." * 85 + "o" * 5


def test_a_night_without_a_backup_is_missed() -> None:
    """If nothing deletes backups, however long ago."""
    assert strip(nightly(0, 1, 2, 4, 5, 60, 61)).endswith("!oo!ooo")
    assert strip(nightly(0, 60)).count("!") == 59


def test_what_is_not_due_yet_is_not_missed() -> None:
    """The grace is not over."""
    assert strip([backup(25 * HOUR)])[-2:] == "o."
    assert strip([backup(27 * HOUR)])[-2:] == "o!"


def test_pruning_may_have_deleted_what_is_not_there() -> None:
    """With daily=7, only the last seven days are known to be complete."""
    assert strip(nightly(0, 1, 4, 40), retention="daily=7")[-41:] == "o" + "." * 33 + "!!o!!oo"
    assert "!" not in strip(nightly(0, 40, 80), retention="last=1")


def test_the_worst_of_a_day_wins() -> None:
    """A failed backup shows, whatever succeeded later."""
    failed = backup(20 * HOUR, "FAILED")

    assert strip([failed, *nightly(0, 1)])[-2:] == "ox"
    assert strip([backup(HOUR, "BUILDING"), *nightly(0, 1)])[-2:] == "o~"


def test_the_task_list_tells_of_deleted_backups() -> None:
    """A job without a backup was one that has been deleted, or has failed. The job of a listed backup says nothing."""
    listed = backup(HOUR)
    jobs = [
        BackupJob("1", listed.instance_id, NOW - HOUR, "Completed"),
        BackupJob("2", listed.instance_id, NOW - DAY, "Completed"),
        BackupJob("3", listed.instance_id, NOW - 2 * DAY, "Failed"),
    ]

    assert make_strip([listed], [], jobs, None, Pruning(), NOW).letters[-4:] == ".x-o"
    assert make_strip([], [listed], jobs[:1], None, Pruning(), NOW).letters == "." * DAYS


def test_an_instance_without_any_backup_is_missed_today() -> None:
    """Since when one was expected is not known."""
    assert make_strip([], [], [], NIGHTLY, Pruning(), NOW, has_none=True).letters == "." * 89 + "!"


@given(st.lists(st.tuples(st.integers(-50, 150 * 24), st.sampled_from(["COMPLETED", "FAILED", "BUILDING"]))))
def test_a_strip_has_90_days(made: list[tuple[int, str]]) -> None:
    """Whatever there is, of whatever time. Each day with a backup shows something."""
    backups = [backup(timedelta(hours=hours), status) for hours, status in made]
    found = make_strip(backups, [], [], NIGHTLY, Pruning(), NOW)

    assert len(found.days) == DAYS
    assert found.first + timedelta(days=DAYS - 1) == NOW.date()
    for one in backups:
        day = (one.begin_time.date() - found.first).days if one.begin_time and one.begin_time <= NOW else -1
        assert day < 0 or found.days[day] is not Kind.NONE


def test_each_kind_has_a_letter_of_its_own() -> None:
    """Which no colour has to tell apart."""
    assert len({kind.value for kind in Kind}) == len({kind.words for kind in Kind}) == len(Kind)
    assert Strip(NOW.date(), tuple(Kind)).letters == "x!~o-."
    assert Strip(NOW.date(), tuple(Kind)).count(Kind.GOOD) == 1


@pytest.mark.parametrize("interval", [timedelta(minutes=1), timedelta(days=300)])
def test_any_interval(interval: timedelta) -> None:
    """A minute and most of a year."""
    policy = NIGHTLY.model_copy(update={"expected_interval": interval})

    assert len(make_strip([backup(2 * DAY)], [], [], policy, Pruning(read_retention("last=2")), NOW).days) == DAYS
