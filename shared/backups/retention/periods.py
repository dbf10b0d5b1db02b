"""The periods of which each tier keeps one backup: hours, days, weeks, months and years of a time zone."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from enum import Enum


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
"""How many periods of a more frequent tier one of a rarer tier holds at most."""


def period_of(tier: Tier, moment: datetime, zone: tzinfo) -> object:
    """What is equal for two moments if and only if they are in the same period of `tier` in `zone`."""
    return _PERIODS[tier](moment.astimezone(zone))


def _hour(local: datetime) -> object:
    # The moment the hour began, in UTC: the two hours of the same name when clocks go back are two.
    begin = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return local.astimezone(timezone.utc) - begin


_PERIODS: dict[Tier, Callable[[datetime], object]] = {
    Tier.HOURLY: _hour,
    Tier.DAILY: datetime.date,
    Tier.WEEKLY: lambda local: local.isocalendar()[:2],
    Tier.MONTHLY: lambda local: (local.year, local.month),
    Tier.YEARLY: lambda local: local.year,
}
