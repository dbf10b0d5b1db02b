"""Until when the rules of retention keep each backup, if new backups come as they have so far."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from statistics import median

from shared.model import Backup
from shared.prune.plan import RECENT
from shared.prune.retention import LAST, Retention, Tier, period_of


HORIZON = timedelta(days=3660)
"""How far the forecast looks ahead: ten years."""

USUAL = timedelta(days=1)
"""The interval between backups where there are too few to tell."""

_LOOKED_AT = 8
_FREQUENT = {LAST, Tier.HOURLY.value}
_MINUTE = timedelta(minutes=1)


def usual_interval(newest_first: Sequence[Backup]) -> timedelta:
    """Return the median of the intervals between the newest backups, in whole minutes."""
    begins = [backup.begin_time for backup in newest_first[:_LOOKED_AT] if backup.begin_time]
    gaps = [newer - older for newer, older in pairwise(begins)]
    return max(_MINUTE, round(median(gap / _MINUTE for gap in gaps)) * _MINUTE) if gaps else USUAL


@dataclass(frozen=True, slots=True)
class Coming:
    """The begins of the next backups: at an interval from `first` on, not later than `last`."""

    first: datetime
    last: datetime
    interval: timedelta

    @classmethod
    def after(cls, newest: datetime, now: datetime, interval: timedelta) -> "Coming":
        """Return those after *now* that continue *newest*, up to the horizon."""
        first = newest + max(1, (now - newest) // interval + 1) * interval
        return cls(first, now + HORIZON, interval)

    def next(self, moment: datetime, zone: tzinfo, *, is_of_another_day: bool) -> datetime:
        """Return the one after *moment*, or the first one of a later day in *zone*."""
        if not is_of_another_day:
            return moment + self.interval
        midnight = (moment.astimezone(zone) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        left = midnight.astimezone(timezone.utc) - moment.astimezone(timezone.utc)
        return moment + max(1, -(-left // self.interval)) * self.interval


@dataclass(slots=True)
class _Rule:
    """One rule of retention: the periods that it holds a backup of, newest first. The backup is None for a new one."""

    name: str
    most: int
    tier: Tier | None
    held: deque[tuple[object, str | None]]

    def arrive(self, moment: datetime, zone: tzinfo) -> str | None:
        """Take in a new backup. Return the id of the backup that the rule does not keep any more, if there is one."""
        period = moment if self.tier is None else period_of(self.tier, moment, zone)
        lost = None
        if self.held and self.held[0][0] == period:
            lost = self.held.popleft()[1]
        self.held.appendleft((period, None))
        if len(self.held) > self.most:
            lost = self.held.pop()[1]
        return lost


def kept_until(
    newest_first: Sequence[Backup],
    kept: Mapping[str, Sequence[str]],
    retention: Retention,
    zone: tzinfo,
    coming: Coming | None,
) -> dict[str, datetime | None]:
    """Return for each backup in *kept* the time from which no rule keeps it; None if that is not in sight.

    *newest_first* are the completed backups of an instance, *kept* the rules that keep each of them now
    (`Retention.rules_that_keep`), *coming* its next backups, if there will be any.
    """
    begins = {backup.id: backup.begin_time for backup in newest_first if backup.begin_time}
    rules = [
        _Rule(name, most, tier, deque((_period(tier, begins[id_], zone), id_) for id_ in begins if name in kept[id_]))
        for name, most, tier in _counting(retention)
    ]
    left = {backup_id: set(names) for backup_id, names in kept.items()}
    until: dict[str, datetime | None] = dict.fromkeys(kept)
    moment = coming.first if coming and rules else None
    while coming and moment and moment <= coming.last and any(left.values()):
        for rule in rules:
            lost = rule.arrive(moment, zone)
            if lost is not None:
                left[lost].discard(rule.name)
                if not left[lost]:
                    until[lost] = moment
        # Only the first backup of a day changes anything for the rules that count days and more.
        is_frequent = any(names & _FREQUENT for names in left.values())
        moment = coming.next(moment, zone, is_of_another_day=not is_frequent)
    return {backup_id: _bounded(end, begins[backup_id], retention.max_age) for backup_id, end in until.items()}


def _counting(retention: Retention) -> Iterator[tuple[str, int, Tier | None]]:
    if retention.last:
        yield LAST, retention.last, None
    for tier, count in retention.tiers.items():
        yield tier.value, count, tier


def _period(tier: Tier | None, begin: datetime, zone: tzinfo) -> object:
    return begin if tier is None else period_of(tier, begin, zone)


def _bounded(end: datetime | None, begin: datetime, max_age: timedelta | None) -> datetime | None:
    """Apply max_age, and the day for which every backup is kept."""
    if max_age is not None:
        end = begin + max_age if end is None else min(end, begin + max_age)
    return end and max(end, begin + RECENT)
