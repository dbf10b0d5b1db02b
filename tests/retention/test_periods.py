"""Time zones, and the periods that begin in them."""

import sys
import zoneinfo
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backups.retention.periods import Tier, period_of
from shared.backups.retention.zones import read_zone
from tests.retention.made import ZONES, moments, zones


UTC = timezone.utc
BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A runtime without a time zone database, neither the system's nor the package tzdata."""
    for name in {"tzdata", "tzdata.zoneinfo.Europe", *(name for name in sys.modules if name.startswith("tzdata"))}:
        monkeypatch.setitem(sys.modules, name, None)
    ZoneInfo.clear_cache()
    zoneinfo.reset_tzpath(to=[])
    yield
    zoneinfo.reset_tzpath()


@pytest.mark.parametrize("name", ["Europe/Berlin", "Asia/Shanghai", "America/Argentina/Ushuaia"])
def test_a_zone_by_its_name(name: str) -> None:
    """As IANA names it."""
    assert str(read_zone(name)) == name


@pytest.mark.parametrize("name", ["UTC", "utc"])
def test_utc_needs_no_database(no_database: None, name: str) -> None:
    """The default works everywhere."""
    assert read_zone(name) is UTC


def test_a_missing_database_is_said(no_database: None) -> None:
    """And not that there is no such zone."""
    with pytest.raises(
        ValueError, match=r"no time zone database to look 'Europe/Berlin' up in: add the package tzdata"
    ):
        read_zone("Europe/Berlin")


@pytest.mark.parametrize("name", ["Europe", "Europe/Berln", "../UTC", "/etc/localtime", "", "\0", 7, "x" * 5000])
def test_what_is_no_zone_is_explained(name: object) -> None:
    """A folder, a slip of the pen, a path, a number."""
    with pytest.raises(ValueError, match="must be a time zone's IANA name, such as UTC or Europe/Berlin; found"):
        read_zone(name)


def test_a_slip_of_the_pen_gets_a_hint() -> None:
    """There are some 600 names."""
    with pytest.raises(ValueError, match=r"\(did you mean Europe/Berlin\?\)"):
        read_zone("Europe/Berln")


def quarters(begin: datetime, end: datetime) -> list[datetime]:
    return [begin + number * QUARTER for number in range((end - begin) // QUARTER)]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 10, 25), 25), (date(2026, 3, 29), 23), (date(2026, 7, 1), 24)], ids=str
)
def test_a_day_of_23_or_25_hours_is_one_day_of_so_many_hours(day: date, hours: int) -> None:
    """When clocks go back, two hours have one name; when they go forward, one name is left out."""
    begin, end = (datetime.combine(d, time(), BERLIN).astimezone(UTC) for d in (day, day + timedelta(days=1)))
    moments = quarters(begin, end)

    assert len(moments) == hours * 4
    assert len({period_of(Tier.HOURLY, moment, BERLIN) for moment in moments}) == hours
    assert {period_of(Tier.DAILY, moment, BERLIN) for moment in moments} == {day}


def test_a_zone_of_half_hours_has_its_own_hours() -> None:
    """An hour in Kolkata begins at half past in UTC."""
    kolkata = ZoneInfo("Asia/Kolkata")
    begin = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)

    assert len({period_of(Tier.HOURLY, moment, kolkata) for moment in quarters(begin, begin + 4 * QUARTER)}) == 1


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_two_years_have_every_day_once(zone: tzinfo) -> None:
    """No change of clocks makes two days of one, or loses one."""
    begin = datetime(2024, 12, 31, 12, tzinfo=UTC)
    hours = [begin + number * timedelta(hours=1) for number in range(24 * 731)]
    days = list(dict.fromkeys(period_of(Tier.DAILY, hour, zone) for hour in hours))

    first = begin.astimezone(zone).date()
    assert days == [first + timedelta(days=number) for number in range(len(days))]
    assert len(days) in {731, 732}


def test_weeks_are_iso_weeks() -> None:
    """They begin on Monday, and the week of New Year belongs to one year only."""
    sunday, monday = datetime(2027, 1, 3, 12, tzinfo=UTC), datetime(2027, 1, 4, 12, tzinfo=UTC)
    in_december = datetime(2026, 12, 31, 12, tzinfo=UTC)

    assert period_of(Tier.WEEKLY, in_december, UTC) == period_of(Tier.WEEKLY, sunday, UTC) == (2026, 53)
    assert period_of(Tier.WEEKLY, monday, UTC) == (2027, 1)


def test_months_and_weeks_of_two_years_are_two() -> None:
    """November is not every November."""
    now, then = datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2025, 11, 18, 12, tzinfo=UTC)

    assert (now.isocalendar().week, then.isocalendar().week) == (48, 47)
    assert period_of(Tier.MONTHLY, now, UTC) != period_of(Tier.MONTHLY, then, UTC)
    assert period_of(Tier.WEEKLY, now, UTC) != period_of(Tier.WEEKLY, then + timedelta(weeks=1), UTC)


def test_a_day_begins_at_midnight_of_the_zone() -> None:
    """Not of UTC."""
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    assert [period_of(tier, late, BERLIN) == period_of(tier, late, UTC) for tier in Tier] == [
        True,
        False,
        True,
        False,
        False,
    ]


@given(moments, st.integers(1, 10**8), zones)
def test_two_moments_of_a_rarer_period_apart_are_apart_in_the_more_frequent(
    moment: datetime, later: int, zone: tzinfo
) -> None:
    """Days tile weeks, months and years; hours of zones with whole hours tile days."""
    other = moment + timedelta(seconds=later)
    same = {tier: period_of(tier, moment, zone) == period_of(tier, other, zone) for tier in Tier}

    assert not same[Tier.HOURLY] or same[Tier.DAILY]
    for rarer in (Tier.WEEKLY, Tier.MONTHLY, Tier.YEARLY):
        assert not same[Tier.DAILY] or same[rarer]
    assert not same[Tier.MONTHLY] or same[Tier.YEARLY]


@given(moments, zones)
def test_an_hour_is_at_most_an_hour(moment: datetime, zone: tzinfo) -> None:
    """Whatever the clocks do."""
    assert period_of(Tier.HOURLY, moment, zone) != period_of(Tier.HOURLY, moment + timedelta(hours=1), zone)
