"""The words and the order of a plan's verdicts."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from shared.prune.plan import Fate, MassDeletionGuard, make_plan, protection
from shared.prune.retention import read_retention
from tests.prune.backups import DAY, NOW, make_backup


LAST = read_retention("last=1")


def test_the_fates_are_public() -> None:
    """Consumers of the report compare these words."""
    assert [fate.value for fate in Fate] == ["KEEP", "PROTECT", "DELETE"]


def test_the_newest_verdict_of_an_instance_comes_first() -> None:
    """The id decides within a second. A backup of unknown age comes last."""
    listed = [
        make_backup(NOW - 2 * DAY, "a"),
        make_backup(None, "z"),
        make_backup(NOW - DAY),
        replace(make_backup(NOW - 2 * DAY), id="b"),
    ]

    (instance,) = make_plan(listed, LAST, NOW).instances

    assert [verdict.backup.id for verdict in instance.verdicts] == [listed[2].id, "b", "a", "z"]


@pytest.mark.parametrize(("names", "name"), [(("new", "old"), "new"), (("", "old"), "old"), (("", ""), "")])
def test_an_instance_has_the_name_that_its_newest_backup_tells(names: tuple[str, ...], name: str) -> None:
    """The name is empty if none of the backups tells it."""
    listed = [replace(make_backup(NOW - age * DAY), instance_name=told) for age, told in enumerate(names, 1)]

    assert [instance.instance_name for instance in make_plan(listed, LAST, NOW).instances] == [name]


def test_a_backup_that_no_rule_keeps_says_so() -> None:
    """The report has the reason of every deletion."""
    listed = [make_backup(NOW - age * DAY) for age in (2, 3)]

    plan = make_plan([make_backup(NOW - timedelta(hours=1)), *listed], LAST, NOW)

    assert [(verdict.backup, verdict.reasons) for verdict in plan.of(Fate.DELETE)] == [(listed[1], ("no_rule",))]


def test_a_failed_backup_is_investigated_for_exactly_a_week() -> None:
    """DDS gives whole seconds."""
    week = make_backup(NOW - 7 * DAY, status="FAILED")

    assert protection(week, NOW) == "recently_failed"
    assert protection(week, NOW + timedelta(seconds=1)) is None


def test_a_guard_that_is_forced_holds_nothing_back() -> None:
    """This is the guard without a plan."""
    assert MassDeletionGuard() == MassDeletionGuard(frozenset(), everything=False)
    assert not MassDeletionGuard().holds_back("i-1")


def test_days_are_those_of_the_zone() -> None:
    """Two hours before and after midnight of the zone are two days there, and one day in UTC."""
    zone = timezone(timedelta(hours=12))
    noon = NOW.replace(hour=12, minute=0, second=0, microsecond=0) - 5 * DAY
    listed = [make_backup(noon - timedelta(hours=2), "before"), make_backup(noon + timedelta(hours=2), "after")]

    kept = [
        {verdict.backup.id for verdict in make_plan(listed, read_retention("daily=2"), NOW, *zones).of(Fate.KEEP)}
        for zones in ((), (zone,))
    ]

    assert kept == [{"after"}, {"before", "after"}]
