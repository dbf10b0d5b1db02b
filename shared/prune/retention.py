"""GFS (grandfather-father-son) retention: ``last=3 daily=7 weekly=4 monthly=12 yearly=2 max_age=400d``.

How people write the rules, the periods of each tier in a time zone, and which backups of an instance the rules keep.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from enum import Enum
from itertools import combinations

from shared.format import did_you_mean, plain
from shared.limits import MAX_RETENTION
from shared.model import Backup


class Tier(str, Enum):
    """A kind of period, the most frequent first."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


MOST_WITHIN: dict[Tier, dict[Tier, int]] = {
    Tier.DAILY: {Tier.HOURLY: 24},
    Tier.WEEKLY: {Tier.HOURLY: 7 * 24, Tier.DAILY: 7},
    Tier.MONTHLY: {Tier.HOURLY: 31 * 24, Tier.DAILY: 31, Tier.WEEKLY: 5},
    Tier.YEARLY: {Tier.HOURLY: 366 * 24, Tier.DAILY: 366, Tier.WEEKLY: 53, Tier.MONTHLY: 12},
}
"""How many periods of a more frequent tier fit into one period of a less frequent tier at most."""

LAST = "last"
MAX_AGE = "max_age"

_KNOWN = (LAST, *(tier.value for tier in Tier), MAX_AGE)
_MOST = 10_000
_AGE = re.compile(r"([1-9][0-9]{0,5})([hdw])")
_AGE_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_EXAMPLE = "last=3 daily=7 weekly=4 monthly=12 yearly=2 max_age=400d"


@dataclass(frozen=True, slots=True)
class Retention:
    """The rules of retention.

    Attributes:
        last: how many of an instance's newest backups are kept, whatever their age.
        tiers: for each tier, the number of periods with a backup of which the newest backup is kept.
        max_age: older backups are not kept, whatever the other rules say. Alone, it keeps all younger backups.
    """

    last: int = 0
    tiers: dict[Tier, int] = field(default_factory=dict)
    max_age: timedelta | None = None

    def __str__(self) -> str:
        """Return the rules as they are written in the setting."""
        parts = [f"{LAST}={self.last}"] * bool(self.last)
        parts += [f"{tier.value}={self.tiers[tier]}" for tier in Tier if tier in self.tiers]
        if self.max_age:
            hours, day = int(self.max_age.total_seconds()) // 3600, 24
            parts.append(f"{MAX_AGE}={hours}h" if hours % day else f"{MAX_AGE}={hours // day}d")
        return " ".join(parts)

    def is_expired(self, backup: Backup, now: datetime) -> bool:
        """Whether a backup is older than `max_age`."""
        return bool(self.max_age and backup.begin_time and now - backup.begin_time > self.max_age)

    def rules_that_keep(
        self, newest_first: Sequence[Backup], now: datetime, zone: tzinfo
    ) -> dict[str, tuple[str, ...]]:
        """Return the names of the rules that keep each backup, by backup id. Backups that no rule keeps are left out.

        In each of a tier's newest periods that have a backup, the newest backup is kept.
        """
        young = [
            (began, backup)
            for backup in newest_first
            if (began := backup.begin_time) and not self.is_expired(backup, now)
        ]
        if not self.last and not self.tiers:
            return {backup.id: (MAX_AGE,) for _, backup in young}
        rules: dict[str, list[str]] = defaultdict(list)
        for _, backup in young[: self.last]:
            rules[backup.id].append(LAST)
        for tier, count in self.tiers.items():
            newest_of: dict[object, str] = {}
            for began, backup in young:
                newest_of.setdefault(period_of(tier, began, zone), backup.id)
            for backup_id in list(newest_of.values())[:count]:
                rules[backup_id].append(tier.value)
        return {backup_id: tuple(names) for backup_id, names in rules.items()}


def period_of(tier: Tier, moment: datetime, zone: tzinfo) -> object:
    """Return a value that is equal for two moments exactly if they are in the same period of `tier` in `zone`."""
    return _PERIODS[tier](moment.astimezone(zone))


def _hour(local: datetime) -> object:
    # The beginning of the hour in UTC, since an hour occurs twice when clocks go back.
    begin = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return local.astimezone(timezone.utc) - begin


_PERIODS: dict[Tier, Callable[[datetime], object]] = {
    Tier.HOURLY: _hour,
    Tier.DAILY: datetime.date,
    Tier.WEEKLY: lambda local: local.isocalendar()[:2],
    Tier.MONTHLY: lambda local: (local.year, local.month),
    Tier.YEARLY: lambda local: local.year,
}


def read_retention(value: object) -> Retention:
    """Parse rules as they are written: in any order, separated by blanks or commas.

    Raises:
        ValueError: names every fault.
    """
    if isinstance(value, Retention):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be a text such as {_EXAMPLE!r}; found {value!r:.80}")  # noqa: TRY004 pydantic's way
    if len(value) > MAX_RETENTION:
        raise ValueError(f"must be at most {MAX_RETENTION} characters; found {len(value)}")
    faults: list[str] = []
    counts: dict[str, int] = {}
    max_age: timedelta | None = None
    for name, text in _parts(value, faults):
        if name == MAX_AGE:
            max_age = _age(text, faults)
        elif (count := _count(name, text, faults)) is not None:
            counts[name] = count
    tiers = {tier: counts[tier.value] for tier in Tier if tier.value in counts}
    faults += _too_short(tiers)
    if not faults and not counts and not max_age:
        faults.append(f"must hold at least one rule, such as {_EXAMPLE!r}; found {value!r:.80}")
    if faults:
        raise ValueError(plain("; ".join(faults)))
    return Retention(counts.get(LAST, 0), tiers, max_age)


def _parts(value: str, faults: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each rule's name and value. A name that occurs twice is a fault; its first value counts."""
    seen: set[str] = set()
    for part in filter(None, re.split(r"[,\s]+", value)):
        name, equals, text = part.partition("=")
        name = name.lower()
        if not equals or not text:
            faults.append(f"{part[:40]}: must be RULE=VALUE without blanks in it, such as daily=7")
        elif name not in _KNOWN:
            hint = did_you_mean(name, _KNOWN)
            faults.append(f"{name[:40]}: no such rule{hint}; the rules are {', '.join(_KNOWN)}")
        elif name in seen:
            faults.append(f"{name}: must come once")
        else:
            seen.add(name)
            yield name, text


def _count(name: str, text: str, faults: list[str]) -> int | None:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST:
        return int(text)
    faults.append(f"{name}: must be a number from 1 to {_MOST:,}; found {text!r:.40} (to keep none, leave it out)")
    return None


def _age(text: str, faults: list[str]) -> timedelta | None:
    if match := _AGE.fullmatch(text.lower()):
        return timedelta(**{_AGE_UNITS[match[2]]: int(match[1])})
    faults.append(
        f"{MAX_AGE}: must be a number of hours, days or weeks, such as 36h, 400d or 52w (a month has no fixed "
        f"length); found {text!r:.40}"
    )
    return None


def _too_short(tiers: dict[Tier, int]) -> Iterator[str]:
    """Yield a fault for each tier that reaches less far back than a more frequent one (MongoDB Atlas, policies)."""
    for frequent, rarer in combinations([tier for tier in Tier if tier in tiers], 2):
        most = MOST_WITHIN[rarer][frequent]
        if tiers[frequent] > tiers[rarer] * most:
            needed = -(-tiers[frequent] // most)
            yield (
                f"{rarer.value}={tiers[rarer]} reaches less far back than {frequent.value}={tiers[frequent]}: "
                f"must be at least {rarer.value}={needed}, or {frequent.value}={tiers[rarer] * most} at most"
            )


def read_zone(value: object) -> tzinfo:
    """Return the time zone of an IANA name such as Europe/Berlin. UTC needs no time zone database.

    Raises:
        ValueError: there is no such zone, or this runtime has no time zone database.
    """
    if isinstance(value, tzinfo):
        return value
    if isinstance(value, str) and value.upper() == "UTC":
        return timezone.utc
    import zoneinfo  # only another zone than UTC pays for the import

    try:
        return zoneinfo.ZoneInfo(str(value))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the database is an OSError
        raise ValueError(_explain_zone(str(value), zoneinfo.available_timezones())) from None


def _explain_zone(name: str, known: set[str]) -> str:
    if not known:
        return (
            f"this runtime has no time zone database to look {name!r:.80} up in: add the package tzdata to the "
            "function's zip, or use UTC"
        )
    hint = did_you_mean(name, known, cutoff=0.7)
    return f"must be a time zone's IANA name, such as UTC or Europe/Berlin; found {name!r:.80}{hint}"
