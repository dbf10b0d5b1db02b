"""Until when the rules of retention keep each backup, if new backups come as they have so far."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
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
_MINUTE = timedelta(minutes=1)


def usual_interval(newest_first: Sequence[Backup]) -> timedelta:
    """Return the median of the intervals between the newest backups, in whole minutes."""
    begins = [backup.begin_time for backup in newest_first[:_LOOKED_AT] if backup.begin_time]
    gaps = [newer - older for newer, older in pairwise(begins)]
    return max(_MINUTE, round(median(gap / _MINUTE for gap in gaps)) * _MINUTE) if gaps else USUAL


def coming(newest: datetime, now: datetime, interval: timedelta) -> Iterator[datetime]:
    """Yield when the next backups begin: at *interval* after *newest*, from *now* to the horizon."""
    moment = newest + max(1, (now - newest) // interval + 1) * interval
    while moment <= now + HORIZON:
        yield moment
        moment += interval


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
    arrivals: Iterator[datetime],
) -> dict[str, datetime | None]:
    """Return for each backup in *kept* the time from which no rule keeps it; None if that is beyond the arrivals.

    *newest_first* are the completed backups of an instance, *kept* the rules that keep each of them now
    (`Retention.rules_that_keep`), *arrivals* the begins of its next backups.
    """
    begins = {backup.id: backup.begin_time for backup in newest_first if backup.begin_time}
    rules = [
        _Rule(
            name,
            most,
            tier,
            deque((_period(tier, begins[id_], zone), id_) for id_ in begins if name in kept.get(id_, ())),
        )
        for name, most, tier in _counting(retention)
    ]
    left = {backup_id: set(names) for backup_id, names in kept.items()}
    until: dict[str, datetime | None] = dict.fromkeys(kept)
    if rules:
        for moment in arrivals:
            for rule in rules:
                lost = rule.arrive(moment, zone)
                if lost is not None:
                    left[lost].discard(rule.name)
                    if not left[lost]:
                        until[lost] = moment
            if not any(left.values()):
                break
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
