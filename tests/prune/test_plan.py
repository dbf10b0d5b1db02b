"""What a plan keeps, deletes and protects: the rules and each interlock."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from shared.model import Backup
from shared.prune.plan import Fate, Plan, make_plan
from shared.prune.retention import read_retention
from tests.prune.made import DAY, KEY, NOW, deleted, kept, made, nightly, protected


HOUR = timedelta(hours=1)


def plan(backups: list[Backup], rules: str = "last=1", now: datetime = NOW) -> Plan:
    return make_plan(backups, read_retention(rules), now)


def test_a_backup_kept_by_several_rules_names_them_all() -> None:
    """The report says why each is there."""
    backups = nightly(40)

    rules = kept(plan(backups, "last=2 daily=3 weekly=2 monthly=2 yearly=1"))

    # The backups began at 02:00 from 2026-11-24, a Tuesday, backwards.
    ids = [backup.id for backup in backups]
    assert rules == {
        ids[0]: ("last", "daily", "weekly", "monthly", "yearly"),
        ids[1]: ("last", "daily"),
        ids[2]: ("daily", "weekly"),  # Sunday
        ids[24]: ("monthly",),  # 31 October
    }


def test_periods_without_a_backup_do_not_count() -> None:
    """Seven dailies are seven days that have one, as in restic, K8up and Atlas."""
    backups = [made(NOW - number * 10 * DAY - HOUR) for number in range(10)]

    assert len(kept(plan(backups, "daily=7"))) == 7


def test_days_begin_in_the_time_zone() -> None:
    """Two backups around midnight in Berlin are of two days there, of one in UTC."""
    backups = [made(datetime(2026, 7, 1, hour, 30, tzinfo=timezone.utc)) for hour in (21, 22)]
    rules = read_retention("daily=5")

    assert len(kept(make_plan(backups, rules, NOW, ZoneInfo("Europe/Berlin")))) == 2
    assert len(kept(make_plan(backups, rules, NOW))) == 1


def test_max_age_outranks_the_tiers() -> None:
    """A yearly one older than max_age goes."""
    old, young = made(NOW - 401 * DAY), made(NOW - DAY)

    made_plan = plan([old, young], "yearly=5 max_age=400d")

    assert deleted(made_plan) == {old.id}
    assert made_plan.of(Fate.DELETE)[0].reasons == ("max_age",)


def test_max_age_alone_keeps_all_that_is_younger() -> None:
    """Retention by age, as DDS's own for automatic backups."""
    backups = nightly(40)

    made_plan = plan(backups, "max_age=30d")

    assert len(kept(made_plan)) == 30
    assert set(kept(made_plan).values()) == {("max_age",)}
    assert len(deleted(made_plan)) == 10


def test_max_age_is_an_age_in_hours_and_not_in_calendar_days() -> None:
    """To the second."""
    just, over = made(NOW - 30 * DAY), made(NOW - 30 * DAY - timedelta(seconds=1))

    assert deleted(plan([just, over, made()], "max_age=30d")) == {over.id}


@pytest.mark.parametrize("description", [None, "", "made by hand", "key:short", f"{KEY} and more"])
def test_what_is_not_this_applications_is_not_touched(description: str | None) -> None:
    """The key in the description is the mark; the name says nothing."""
    stranger = made(NOW - 900 * DAY, description=description)

    (instance,) = plan([stranger, made()]).instances

    assert stranger not in [verdict.backup for verdict in instance.verdicts]


def test_the_newest_completed_backup_stays_whatever_its_age() -> None:
    """An instance that is not backed up any more keeps its last backup, max_age or not."""
    oldest, newest = made(NOW - 900 * DAY), made(NOW - 800 * DAY)

    made_plan = plan([oldest, newest, made(NOW - HOUR, status="FAILED")], "daily=7 max_age=30d")

    assert protected(made_plan)[newest.id] == ("newest",)
    assert deleted(made_plan) == {oldest.id}


@pytest.mark.parametrize(
    ("status", "interlock"),
    [("BUILDING", "building"), ("DISABLED", "being_deleted"), ("UNHEARD_OF", "unknown_status"), ("", "unknown_status")],
)
def test_only_what_has_ended_is_deleted(status: str, interlock: str) -> None:
    """However old it is, and it does not count as a kept one either."""
    other = made(NOW - 100 * DAY, status=status)
    good = [made(NOW - 200 * DAY), made(NOW - 300 * DAY)]

    made_plan = plan([other, *good])

    assert protected(made_plan) == {other.id: (interlock,)}
    assert set(kept(made_plan)) == {good[0].id}


def test_a_backup_without_a_time_is_not_judged() -> None:
    """Nobody knows how old it is."""
    timeless = made(None)

    assert protected(plan([timeless, made()])) == {timeless.id: ("no_begin_time",)}


def test_nothing_of_an_instance_under_restore_is_deleted() -> None:
    """Also if only a backup that is not this application's tells of the restore."""
    backups = [*nightly(5), *nightly(5, instance="i-2")]
    telling = made(NOW - 9 * DAY, "foreign", description="by hand", is_restoring=True)

    made_plan = plan([*backups, telling])

    assert {verdict.backup.instance_id for verdict in made_plan.of(Fate.DELETE)} == {"i-2"}
    assert list(protected(made_plan).values()) == [("restoring",)] * 4


def test_what_came_after_the_time_of_the_run_is_left_alone() -> None:
    """A tick that is delivered late gives the plan that it would have given in time."""
    backups = nightly(10)
    later = [made(NOW + HOUR), made(NOW - timedelta(minutes=1), minutes=5)]

    late = plan([*backups, *later], "daily=7")

    assert deleted(late) == deleted(plan(backups, "daily=7"))
    assert protected(late) == {later[0].id: ("begun_later",), later[1].id: ("building",)}


def test_what_began_and_ended_at_the_time_of_the_run_is_judged() -> None:
    """DDS tells whole seconds."""
    assert set(kept(plan([made(NOW, "now", minutes=0), made()]))) == {"now"}


def test_a_backup_stays_for_the_day_in_which_its_event_may_be_delivered_again() -> None:
    """Without it the event would make another, and its end may not be announced yet; the rules count it as ever."""
    young = [made(NOW - timedelta(hours=hours)) for hours in (1, 5, 23)]
    old = [made(NOW - timedelta(hours=hours)) for hours in (24, 30)]

    made_plan = plan([*young, *old], "last=1")

    assert set(kept(made_plan)) == {young[0].id}
    assert protected(made_plan) == {young[1].id: ("recent",), young[2].id: ("recent",)}
    assert set(deleted(made_plan)) == {backup.id for backup in old}


def test_failed_backups_go_after_a_week() -> None:
    """They are no copies: they count for nothing."""
    recent, old = made(NOW - 7 * DAY, status="FAILED"), made(NOW - 8 * DAY, status="FAILED")
    good = made(NOW - 9 * DAY)

    made_plan = plan([recent, old, good])

    assert protected(made_plan) == {recent.id: ("recently_failed",)}
    assert [(v.backup.id, v.reasons) for v in made_plan.of(Fate.DELETE)] == [(old.id, ("failed",))]
    assert set(kept(made_plan)) == {good.id}


def test_each_instance_is_judged_for_itself() -> None:
    """Whether it still exists or not."""
    backups = [*nightly(3, instance="i-2"), *nightly(3)]

    made_plan = plan(backups)

    assert [instance.instance_id for instance in made_plan.instances] == ["i-1", "i-2"]
    assert len(kept(made_plan)) == 2
    assert made_plan.instances[0].instance_name == "name of i-1"


def test_only_the_instances_that_were_named() -> None:
    """One without backups is in the plan too: nothing is silently fine."""
    made_plan = make_plan(
        [*nightly(3), *nightly(3, instance="i-2")], read_retention("last=1"), NOW, instance_ids=["i-2", "i-9"]
    )

    assert {verdict.backup.instance_id for verdict in made_plan.of(Fate.DELETE)} == {"i-2"}
    assert [(i.instance_id, len(i.verdicts)) for i in made_plan.instances] == [("i-2", 3), ("i-9", 0)]


def test_the_oldest_go_first() -> None:
    """Over all instances."""
    began = [v.backup.begin_time for v in plan([*nightly(5), *nightly(9, instance="i-2")]).of(Fate.DELETE)]

    assert began == sorted(began, key=str)
    assert len(began) == 12


def test_a_backup_listed_twice_is_one() -> None:
    """Pages shift while they are read."""
    backups = nightly(3)

    assert len(plan([*backups, *backups], "last=2").of(Fate.KEEP)) == 2
