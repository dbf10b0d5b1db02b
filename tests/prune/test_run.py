"""One run of prune_backups: it deletes what the plan says, within its limits, and reports every outcome."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.drills import DrillName
from shared.errors import AmbiguousError, BusyError, CloudError, DeniedError, ThrottledError, TransientError
from shared.fleet import Fence
from shared.model import Backup, BackupJob, InstanceTask
from shared.prune.daily_limit import Allowance, DailyLimit
from shared.prune.request import PruneRequest
from shared.prune.retention import read_retention
from shared.prune.run import PruneOutcome, PrunePolicy, Pruner, PruneRun, RunOutcome, VerifiedBackups
from tests.fakes import START, FakeClock, FakeDds, FakeJobs, make_retrying
from tests.prune.backups import DAY, KEY, make_backup, nightly
from tests.system.killable import Killed


class Project:
    """Backups of a fake DDS, by default ten nights of one instance, and the policy by which they are pruned."""

    def __init__(
        self,
        backups: list[Backup] | None = None,
        rules: str = "daily=6",
        *,
        dry_run: bool = False,
        max_deletes: int = 20,
        zone: tzinfo = timezone.utc,
    ) -> None:
        self.dds = FakeDds(FakeClock(), backups=nightly(10) if backups is None else backups)
        self.policy = PrunePolicy(read_retention(rules), zone, dry_run)
        self.max_deletes = max_deletes

    def prune(self, *, remaining: float = 300.0, now: datetime = START, **request: Any) -> PruneRun:
        """Carry out one request."""
        return self.pruner(remaining).prune(PruneRequest.model_validate(request), ("test",), now)

    def pruner(self, remaining: float = 300.0, *, allowed: str = "*") -> Pruner:
        """The pruner of one invocation, which may touch the instances that `allowed` matches."""
        retrying = make_retrying(self.dds.clock, remaining)
        limit = DailyLimit(self.max_deletes, FakeJobs(self.dds), retrying, Fence((allowed,)).allows)
        verified = VerifiedBackups(FakeJobs(self.dds), retrying)
        return Pruner(self.dds, self.policy, limit, verified, concurrency=1, retrying=retrying)

    @property
    def deletes(self) -> int:
        """How many calls delete a backup."""
        return self.dds.calls.count("delete")


def counts(run: PruneRun) -> dict[str, int]:
    """Count the backups by outcome, without the outcomes that no backup has."""
    return {outcome.value: number for outcome, number in run.counts().items() if number}


def test_a_run_deletes_every_backup_that_no_rule_keeps() -> None:
    """It lists the backups once, reads the task list of the month and of the day, and deletes each with a call."""
    project = Project()

    run = project.prune()

    assert run.outcome is RunOutcome.PRUNED
    assert counts(run) == {"KEPT": 6, "DELETED": 4}
    assert project.dds.calls == ["list", "jobs", "jobs"] + ["delete"] * 4
    assert project.dds.backups == nightly(6)


@pytest.mark.parametrize(
    ("dry_run", "request_", "warning"),
    [
        (True, {}, None),
        (True, {"dry_run": False}, "dry_run: false has no effect, since DRY_RUN is on in the function's settings"),
        (True, {"dry_run": True}, None),
        (False, {"dry_run": True}, None),
        (False, {"retention": "daily=6", "dry_run": False}, "the retention of a request is only tried"),
    ],
    ids=range(5),
)
def test_a_dry_run_only_reports(dry_run: bool, request_: dict[str, Any], warning: str | None) -> None:
    """A request can turn a run into a dry run and never the other way round. Rules of a request are only tried."""
    project = Project(rules="daily=6", dry_run=dry_run)

    run = project.prune(**request_)

    assert (run.outcome, counts(run)) == (RunOutcome.DRY_RUN, {"KEPT": 6, "WOULD_BE_DELETED": 4})
    assert project.deletes == 0
    assert [text.startswith(warning or "-") for text in run.warnings] == [True] * bool(warning)


def test_a_policy_is_dry_by_default() -> None:
    """An operator has to ask for deletions."""
    assert PrunePolicy(read_retention("last=1"), timezone.utc).dry_run


def test_the_rules_of_a_request_replace_those_of_the_policy() -> None:
    """The run shows the rules that it tried."""
    run = Project().prune(retention="last=9")

    assert (run.retention, counts(run)) == ("last=9", {"KEPT": 9, "WOULD_BE_DELETED": 1})


def test_a_run_can_be_limited_to_named_instances() -> None:
    """A warning names the instances without backups."""
    project = Project([*nightly(10), *nightly(10, instance="i-2")])

    run = project.prune(instance_ids=["i-2", "i-3"])

    assert counts(run)["DELETED"] == 4
    assert sum(backup.instance_id == "i-1" for backup in project.dds.backups) == 10
    assert run.warnings == ("there is no backup of this application of the instances i-3",)


def test_a_project_without_backups_of_this_application_is_a_warning() -> None:
    """The rules then protect nothing."""
    run = Project([make_backup(START - 900 * DAY, description="by hand")]).prune()

    assert run.warnings[0].startswith("there is no backup of this application")


def test_days_begin_in_the_time_zone_of_the_policy() -> None:
    """The three backups are of two days in Berlin and of one day in UTC."""
    backups = [make_backup(START.replace(month=7, day=1, hour=hour, minute=30)) for hour in (20, 21, 22)]

    run = Project(backups, "daily=5", zone=ZoneInfo("Europe/Berlin")).prune()

    assert (run.zone, counts(run)["KEPT"]) == ("Europe/Berlin", 2)


# The mass-deletion guard and the limit of deletions.


def test_more_than_half_of_an_instance_is_deleted_only_with_force() -> None:
    """Without force the run is held back and makes no call that deletes."""
    project = Project(nightly(13))

    run = project.prune()

    assert (run.outcome, counts(run), project.deletes) == (RunOutcome.HELD_BACK, {"KEPT": 6, "HELD_BACK": 7}, 0)
    assert counts(project.prune(force=True))["DELETED"] == 7


def test_an_instance_that_is_held_back_does_not_affect_the_others() -> None:
    """The others are pruned."""
    others = [backup for number in (2, 3, 4) for backup in nightly(8, instance=f"i-{number}")]

    run = Project([*nightly(13), *others]).prune()

    assert (counts(run)["HELD_BACK"], counts(run)["DELETED"]) == (7, 6)
    assert [instance.instance_id for instance in run.instances if instance.held_back] == ["i-1"]


def test_more_than_half_of_all_backups_holds_everything_back() -> None:
    """An instance that would lose nothing is not reported as held back."""
    backups = [backup for number in range(1, 6) for backup in nightly(5, instance=f"i-{number}")]
    project = Project([*backups, *nightly(1, instance="i-9")], "last=1")

    run = project.prune()

    assert (run.outcome, counts(run)["HELD_BACK"], project.deletes) == (RunOutcome.HELD_BACK, 15, 0)
    assert [instance.instance_id for instance in run.instances if not instance.held_back] == ["i-9"]


def test_a_run_deletes_the_oldest_backups_up_to_the_limit() -> None:
    """The rest is postponed to the next run."""
    project = Project(nightly(30), "daily=20", max_deletes=4)

    run = project.prune()

    assert (run.outcome, counts(run)) == (RunOutcome.PRUNED, {"KEPT": 20, "DELETED": 4, "POSTPONED": 6})
    assert project.dds.backups == nightly(26)


def test_backups_in_deletion_count_towards_the_limit() -> None:
    """An event that is delivered again after a kill deletes no more than one delivery would have."""
    in_deletion = [make_backup(START - timedelta(days=100 + number), status="DISABLED") for number in range(3)]

    run = Project([*nightly(30), *in_deletion], "daily=20", max_deletes=4).prune()

    assert counts(run)["DELETED"] == 1


def test_backups_in_deletion_count_whatever_the_request_names() -> None:
    """They count for instances that the request does not name, and only if this application made them."""
    others = [
        make_backup(START - timedelta(days=100 + number), instance="i-2", status="DISABLED", description=description)
        for number, description in enumerate([KEY, KEY, "by hand"])
    ]

    run = Project([*nightly(30), *others], "daily=20", max_deletes=4).prune(instance_ids=["i-1"])

    assert run.allowance == Allowance(4, being_deleted=2)
    assert counts(run)["DELETED"] == 2


def task(hours: float, instance: str = "i-1") -> BackupJob:
    """A job that deleted a backup so many hours ago."""
    return BackupJob(f"job-{hours}-{instance}", instance, START - timedelta(hours=hours))


def test_deletions_of_the_last_day_in_the_task_list_count() -> None:
    """Older ones do not, nor those of instances that the function may not touch."""
    project = Project(nightly(30), "daily=20", max_deletes=4)
    project.dds.deletions = [task(1), task(23.9), task(24.1), task(2, "i-2")]

    run = project.pruner(allowed="i-1").prune(PruneRequest(), ("test",), START)

    assert run.allowance == Allowance(4, in_task_list=2)
    assert counts(run)["DELETED"] == 2


@pytest.mark.parametrize("error", [DeniedError("x"), TransientError("x"), ThrottledError("x", retry_after=3)])
def test_a_task_list_that_cannot_be_read_limits_nothing_further(error: CloudError) -> None:
    """The run succeeds within a minute, and says that it did not count the task list."""
    project = Project(nightly(30), "daily=20", max_deletes=4)
    project.dds.job_faults = [None, *[error] * 50]  # the list of the last 30 days is read, that of the day is not

    run = project.prune()

    assert (run.outcome, run.allowance) == (RunOutcome.PRUNED, Allowance(4, in_task_list=None))
    assert counts(run)["DELETED"] == 4
    assert project.dds.clock.seconds < 60


def test_the_requests_of_an_event_share_the_limit() -> None:
    """What counted for the first request and what it deleted count for the next, even if DDS tells of neither."""
    project = Project(nightly(30), "daily=20", max_deletes=4)
    project.dds.backups.append(make_backup(START - timedelta(days=100), status="DISABLED"))
    pruner = project.pruner()

    first = pruner.prune(PruneRequest(dry_run=True), ("1",), START)
    project.dds.delete_faults = [None, DeniedError("x")]
    second = pruner.prune(PruneRequest(), ("2",), START)
    project.dds.backups = [backup for backup in project.dds.backups if backup.status != "DISABLED"]
    third = pruner.prune(PruneRequest(), ("3",), START)

    assert [run.allowance and run.allowance.allowed for run in (first, second, third)] == [3, 3, 1]
    assert counts(third)["DELETED"] == 1
    assert project.dds.calls.count("jobs") == 2


# What drills have verified.


def drilled(night: int, *, is_marked: bool = True) -> list[InstanceTask]:
    """The tasks of a drill, a day ago, of the backup of a night; without its mark it was not found valid."""
    restored = START - DAY
    name = str(DrillName.of(restored, f"{night:032x}br02"))
    restore = InstanceTask("1", False, f"copy-{night}", name, "Completed", restored, restored + timedelta(minutes=9))
    restart = InstanceTask("2", True, f"copy-{night}", name, "Completed", restored + timedelta(minutes=12))
    return [restore, *[restart] * is_marked]


def drillable(nights: int, instance: str = "i-1", first: int = 0) -> list[Backup]:
    """Return one backup a night with an id like those of DDS."""
    found = nightly(nights, instance=instance)
    return [replace(backup, id=f"{first + night:032x}br02") for night, backup in enumerate(found)]


def test_the_newest_verified_backup_stays() -> None:
    """Older verified ones and newer ones that are not verified go. The run says why it stays."""
    project = Project(drillable(10))
    project.dds.restores = [*drilled(9), *drilled(8), *drilled(7, is_marked=False)]

    run = project.prune()

    assert (run.outcome, counts(run)) == (RunOutcome.PRUNED, {"KEPT": 6, "PROTECTED": 1, "DELETED": 3})
    (stays,) = run.results(PruneOutcome.PROTECTED)
    assert (stays.backup.id, stays.reasons) == (f"{8:032x}br02", ("newest_verified",))


def test_a_dry_run_tells_which_verified_backup_would_stay() -> None:
    """It reads the same lists."""
    project = Project(drillable(10), dry_run=True)
    project.dds.restores = drilled(9)

    assert counts(project.prune()) == {"KEPT": 6, "PROTECTED": 1, "WOULD_BE_DELETED": 3}


@pytest.mark.parametrize("failed", [0, 1])
def test_what_is_verified_is_not_read_if_no_completed_backup_is_due(failed: int) -> None:
    """A failed backup was never restored."""
    project = Project([*nightly(6), *[make_backup(START - 9 * DAY, status="FAILED")] * failed])

    run = project.prune()

    assert run.outcome is RunOutcome.PRUNED
    assert counts(run).get("DELETED", 0) == failed
    assert project.dds.calls.count("jobs") == 1


@pytest.mark.parametrize(
    ("error", "outcome", "left"),
    [
        (TransientError("x"), RunOutcome.UNFINISHED, "LEFT"),
        (ThrottledError("x", retry_after=20), RunOutcome.UNFINISHED, "LEFT"),
        (DeniedError("x", cloud_code="DBS.1"), RunOutcome.FAILED, "FAILED"),
    ],
)
def test_nothing_completed_is_deleted_while_it_is_not_known_what_is_verified(
    error: CloudError, outcome: RunOutcome, left: str
) -> None:
    """Failed backups are deleted. The run says why the others stay, and ends in time to say so."""
    project = Project([*drillable(10), make_backup(START - 9 * DAY, status="FAILED")])
    project.dds.job_faults = [error] * 50

    run = project.prune()

    assert (run.outcome, run.retryable, counts(run)) == (outcome, error.retryable, {"KEPT": 6, left: 4, "DELETED": 1})
    failures = list(run.failures())
    assert {(failure.code, failure.cloud_code) for failure in failures} == {(error.code, error.cloud_code)}
    assert failures[0].message.startswith("the task list cannot be read, so it is not known which backups drills have")
    assert run.warnings == (f"nothing completed is deleted: {failures[0].message}",)
    assert project.dds.clock.seconds < 60
    project.dds.job_faults = []
    assert counts(project.prune())["DELETED"] == 4


def test_a_dry_run_says_that_it_does_not_know_what_is_verified() -> None:
    """It fails nothing."""
    project = Project(drillable(10), dry_run=True)
    project.dds.job_faults = [DeniedError("x")]

    run = project.prune()

    assert (run.outcome, counts(run)) == (RunOutcome.DRY_RUN, {"KEPT": 6, "WOULD_BE_DELETED": 4})
    assert run.warnings[0].startswith("nothing completed is deleted: ")


def test_the_requests_of_an_event_read_once_what_is_verified() -> None:
    """The second request protects the same backups."""
    project = Project(drillable(10), max_deletes=1)
    project.dds.restores = drilled(9)
    pruner = project.pruner()

    runs = [pruner.prune(PruneRequest(dry_run=True), (str(n),), START) for n in range(2)]

    assert [counts(run)["PROTECTED"] for run in runs] == [1, 1]
    assert project.dds.calls.count("jobs") == 2


def test_the_backups_of_a_drills_instance_that_a_request_names_are_left_alone() -> None:
    """A warning says so."""
    name = str(DrillName.of(START, f"{1:032x}br02"))
    theirs = [replace(backup, instance_name=name, description=None) for backup in nightly(10, instance="copy")]

    run = Project([*nightly(6), *theirs]).prune(instance_ids=["copy", "i-1"])

    assert counts(run) == {"KEPT": 6}
    assert "the backups of a restore drill's instance are left alone: copy" in run.warnings


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_run_deletes_the_newest_verified_backup_of_an_instance(data: st.DataObject) -> None:
    """Whatever the rules, the drills and the faults of the task list: of two verified backups the newer one stays."""
    project = Project(
        [*drillable(12), *drillable(12, "i-2", first=12)],
        data.draw(st.sampled_from(["last=1", "daily=2 max_age=4d", "weekly=1", "last=9"])),
        max_deletes=data.draw(st.integers(1, 20)),
    )
    marks = data.draw(st.dictionaries(st.integers(0, 23), st.booleans()))
    project.dds.restores = [task for night, mark in marks.items() for task in drilled(night, is_marked=mark)]
    project.dds.job_faults = data.draw(st.lists(st.sampled_from([None, TransientError("x"), DeniedError("x")])))

    for _ in range(3):
        project.prune(force=True)

    verified = {night for night, mark in marks.items() if mark}
    newest = {min(nights) for nights in ({n for n in verified if n < 12}, {n for n in verified if n >= 12}) if nights}
    assert newest <= {int(backup.id[:32], 16) for backup in project.dds.backups}


# Failures.


@pytest.mark.parametrize("error", [TransientError("x"), ThrottledError("x", retry_after=3)])
def test_a_list_that_fails_once_is_read_again(error: CloudError) -> None:
    """The run goes on as if nothing had happened."""
    project = Project()
    project.dds.list_faults = [error]

    assert counts(project.prune())["DELETED"] == 4


@pytest.mark.parametrize(
    ("error", "outcome"), [(TransientError("x"), RunOutcome.UNFINISHED), (DeniedError("x"), RunOutcome.FAILED)]
)
def test_a_run_without_a_list_deletes_nothing(error: CloudError, outcome: RunOutcome) -> None:
    """A backup that is not listed may be one that has to stay. A redelivery helps only after a retryable error."""
    project = Project()
    project.dds.list_faults = [error] * 50

    run = project.prune()

    assert (run.outcome, run.retryable, counts(run), project.deletes) == (outcome, error.retryable, {}, 0)
    assert run.failure
    assert run.failure.code == error.code


@pytest.mark.parametrize("error", [BusyError("x"), TransientError("x"), AmbiguousError("x")])
def test_backups_that_a_redelivery_can_delete_are_left(error: CloudError) -> None:
    """The next run deletes them."""
    project = Project()
    project.dds.delete_faults = [error] * 100

    run = project.prune()

    assert (run.outcome, counts(run)) == (RunOutcome.UNFINISHED, {"KEPT": 6, "LEFT": 4})
    assert {failure.code for failure in run.failures()} == {error.code}
    project.dds.delete_faults = []
    assert counts(project.prune())["DELETED"] == 4


def test_a_backup_that_cannot_be_deleted_does_not_affect_the_others() -> None:
    """A final error outranks a retryable one in the outcome of the run."""
    project = Project()
    project.dds.delete_faults = [DeniedError("x"), BusyError("x"), None, None, *[BusyError("x")] * 10]

    run = project.prune()

    assert (run.outcome, counts(run)) == (RunOutcome.FAILED, {"KEPT": 6, "DELETED": 2, "FAILED": 1, "LEFT": 1})
    assert run.retryable


def test_the_deadline_leaves_the_rest_to_the_next_run() -> None:
    """A pause that DDS asks for lasts longer than the invocation."""
    project = Project()
    project.dds.delete_faults = [None, ThrottledError("x", retry_after=100)]

    assert counts(project.prune(remaining=15)) == {"KEPT": 6, "DELETED": 1, "LEFT": 3}
    assert counts(project.prune())["DELETED"] == 3


@pytest.mark.parametrize("call", range(4))
def test_a_run_that_is_killed_at_any_deletion_can_be_repeated(call: int) -> None:
    """The plan depends only on the existing backups."""
    project = Project()

    def kill() -> None:
        raise Killed

    project.dds.delete_faults = [*[None] * call, *[kill] * 4]
    with pytest.raises(Killed):
        project.prune()
    project.dds.delete_faults = []

    assert counts(project.prune()) == {"KEPT": 6, "DELETED": 4 - call}


def test_the_results_are_sorted_by_age() -> None:
    """The oldest backup comes first, whatever its instance."""
    run = Project([*nightly(10), *nightly(10, instance="i-2")]).prune()

    began = [str(result.backup.begin_time) for result in run.results(*PruneOutcome)]
    assert began == sorted(began)
    assert len(began) == 20


def test_two_years_of_nights_end_with_the_expected_backups() -> None:
    """A backup and a run each night, across four clock changes, at two in the morning in Berlin."""
    berlin, first = ZoneInfo("Europe/Berlin"), date(2024, 11, 24)
    project = Project([], "last=3 daily=7 weekly=4 monthly=12 yearly=2 max_age=800d", zone=berlin)
    for number in range(731):
        night = datetime.combine(first + number * DAY, time(2), berlin).astimezone(timezone.utc)
        project.dds.backups.append(make_backup(night))
        run = project.prune(now=night + timedelta(hours=1))
        assert run.outcome is RunOutcome.PRUNED
        assert counts(run).get("DELETED", 0) <= 3

    rules = [result.reasons for result in run.results(PruneOutcome.KEPT)]
    tiers = ("last", "daily", "weekly", "monthly", "yearly")
    assert [sum(tier in reasons for reasons in rules) for tier in tiers] == [3, 7, 4, 12, 2]
    # 24 November 2026 is a Tuesday: seven days with one Sunday, two more Sundays, and the last days of eleven more
    # months, that of 2025 included.
    assert len(project.dds.backups) == 7 + 2 + 11
