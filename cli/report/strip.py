"""The last 90 days of an instance, each day in one letter: what is worst of what DDS still tells of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from enum import Enum
from itertools import pairwise

from shared.audit.request import Policy
from shared.jobs import NEAR
from shared.model import Backup, BackupJob
from shared.prune.retention import Retention


DAYS = 90
"""How many days a strip has. Its last day is that of the report, in UTC."""


class Kind(str, Enum):
    """What became of a day, the worst first. The value is its letter in text, and the name its CSS class."""

    FAILED = "x"
    MISSED = "!"
    BUILDING = "~"
    GOOD = "o"
    DELETED = "-"
    NONE = "."

    @property
    def words(self) -> str:
        """What the letter means."""
        return _WORDS[self]


_WORDS = {
    Kind.FAILED: "failed",
    Kind.MISSED: "missed: due, and did not come",
    Kind.BUILDING: "building",
    Kind.GOOD: "good",
    Kind.DELETED: "made, and deleted since",
    Kind.NONE: "none expected, or not known",
}
_WORST_FIRST = {kind: place for place, kind in enumerate(Kind)}
_STATUSES = {"COMPLETED": Kind.GOOD, "FAILED": Kind.FAILED, "BUILDING": Kind.BUILDING}
_JOBS = {"Completed": Kind.DELETED, "Failed": Kind.FAILED}


@dataclass(frozen=True, slots=True)
class Strip:
    """The kinds of consecutive days in UTC."""

    first: date
    days: tuple[Kind, ...]

    @property
    def letters(self) -> str:
        """A letter for each day."""
        return "".join(day.value for day in self.days)

    def count(self, kind: Kind) -> int:
        """Return how many days are of a kind."""
        return self.days.count(kind)


@dataclass(frozen=True, slots=True)
class Pruning:
    """What deletes old backups; without `retention` nothing does."""

    retention: Retention | None = None
    zone: tzinfo = timezone.utc

    def complete_since(self, newest: datetime, interval: timedelta, now: datetime) -> datetime:
        """Return since when no backup has been deleted, if one was made in every interval until `newest`.

        A backup that is not there proves nothing before this moment: pruning may have deleted it.
        """
        begins = [
            newest - interval * number for number in range(max(1, min(5000, timedelta(days=DAYS) // interval)) + 1)
        ]
        if self.retention is None:
            return begins[-1]
        made = [Backup(str(number), "", "", "COMPLETED", begin) for number, begin in enumerate(begins)]
        kept = self.retention.rules_that_keep(made, now, self.zone)
        since = newest
        for backup, begin in zip(made, begins, strict=True):
            if backup.id not in kept:
                break
            since = begin
        return since


def make_strip(
    backups: Sequence[Backup],
    others: Iterable[Backup],
    jobs: Iterable[BackupJob],
    policy: Policy | None,
    pruning: Pruning,
    now: datetime,
    *,
    has_none: bool = False,
) -> Strip:
    """Return the strip of an instance.

    Args:
        backups: those that this application made of the instance.
        others: those that DDS or somebody else made; they only explain jobs.
        jobs: the jobs of the instance that made backups, of the last 30 days. Those of no listed backup tell of backups
            that were deleted.
        policy: what is expected; None if nothing is, so that nothing is missed.
        has_none: whether a backup is missed today because there never was one.
    """
    today = now.astimezone(timezone.utc).date()
    first = today - timedelta(days=DAYS - 1)
    days = [Kind.NONE] * DAYS

    def mark(moment: datetime | None, kind: Kind | None) -> None:
        if moment and kind and moment <= now and (place := (moment.astimezone(timezone.utc).date() - first).days) >= 0:
            days[place] = min(days[place], kind, key=_WORST_FIRST.__getitem__)

    for backup in backups:
        mark(backup.begin_time, _STATUSES.get(backup.status))
    begins = [one.begin_time for one in (*backups, *others) if one.begin_time]
    for job in jobs:
        if not any(abs(begin - job.created_at) <= NEAR for begin in begins):
            mark(job.created_at, _JOBS.get(job.status))
    for due in missed(backups, policy, pruning, now) if policy else ():
        mark(due, Kind.MISSED)
    if has_none:
        mark(now, Kind.MISSED)
    return Strip(first, tuple(days))


def missed(backups: Sequence[Backup], policy: Policy, pruning: Pruning, now: datetime) -> list[datetime]:
    """Return when backups were due that did not come within the grace of the policy, as far as that can be known.

    A backup is due an interval after the good one before it, and then every interval. Before the first backup nothing
    is known to be due, nor where pruning may have deleted what came.
    """
    known = sorted((b.begin_time, b.status == "COMPLETED") for b in backups if b.begin_time and b.begin_time <= now)
    if not known:
        return []
    good = [began for began, is_good in known if is_good]
    since = pruning.complete_since(good[-1], policy.expected_interval, now) if good else known[0][0]
    points = [*([] if known[0][1] else [known[0][0]]), *good, now]
    found = []
    for before, after in pairwise(points):
        intervals = max(
            1, -((before - since) // policy.expected_interval)
        )  # rounded up, to the first that is due since
        due = before + policy.expected_interval * intervals
        while due + policy.grace < after:
            found.append(due)
            due += policy.expected_interval
    return found
