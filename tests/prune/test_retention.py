"""RETENTION: what it says, and what is said of a wrong one."""

import sys
import zoneinfo
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.prune.retention import MOST_WITHIN, Retention, Tier, period_of, read_retention, read_zone
from tests.prune.made import ZONES, moments, reaches, retentions, zones


def test_all_rules() -> None:
    """In one readable line."""
    read = read_retention("last=3 hourly=24 daily=7 weekly=4 monthly=12 yearly=2 max_age=400d")

    assert read.last == 3
    assert read.tiers == {Tier.HOURLY: 24, Tier.DAILY: 7, Tier.WEEKLY: 4, Tier.MONTHLY: 12, Tier.YEARLY: 2}
    assert read.max_age == timedelta(days=400)


@pytest.mark.parametrize(
    "text", ["yearly=2,last=3", " last=3 ,  yearly=2\n", "LAST=3\tYearly=2", "last=003 yearly=2"], ids=range(4)
)
def test_as_people_write_it(text: str) -> None:
    """Commas or blanks, any order, any case."""
    assert read_retention(text) == Retention(3, {Tier.YEARLY: 2})


@pytest.mark.parametrize(
    ("text", "age"), [("36h", timedelta(hours=36)), ("7D", timedelta(days=7)), ("52w", timedelta(weeks=52))]
)
def test_max_age(text: str, age: timedelta) -> None:
    """Hours, days or weeks."""
    assert read_retention(f"max_age={text}").max_age == age


@given(retentions.filter(lambda retention: reaches(retention.tiers)))
def test_what_is_written_is_read_back(retention: Retention) -> None:
    """The report shows the rules as the setting takes them."""
    assert read_retention(str(retention)) == retention
    assert read_retention(retention) is retention


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "must hold at least one rule, such as 'last=3"),
        ("daily=0", "daily: must be a number from 1 to 10,000; found '0' (to keep none, leave it out)"),
        ("daily=-1", "daily: must be a number from 1 to 10,000; found '-1'"),
        ("daily=²", "daily: must be a number from 1 to 10,000; found '²'"),
        ("daily=10001", "daily: must be a number from 1 to 10,000; found '10001'"),
        (f"daily={'9' * 5000}", "daily: must be a number from 1 to 10,000"),
        ("daily=many", "found 'many'"),
        ("dayly=7", "dayly: no such rule (did you mean daily?); the rules are last, hourly, daily"),
        ("daily=7 daily=8", "daily: must come once"),
        ("daily", "daily: must be RULE=VALUE without blanks in it, such as daily=7"),
        ("daily=", "daily=: must be RULE=VALUE"),
        ("max_age=3m", "max_age: must be a number of hours, days or weeks, such as 36h, 400d or 52w (a month has no"),
        ("max_age=0d", "found '0d'"),
        ("max_age=7", "found '7'"),
    ],
    ids=range(14),
)
def test_a_wrong_rule_is_explained(text: str, fault: str) -> None:
    """What was found, what is expected."""
    with pytest.raises(ValueError, match=r"must|no such rule") as caught:
        read_retention(text)

    assert fault in str(caught.value)


def test_what_is_no_text_is_explained() -> None:
    """A request's retention may be anything."""
    with pytest.raises(ValueError, match=r"must be a text such as .*; found 7"):
        read_retention(7)


def test_everything_wrong_is_said_at_once() -> None:
    """Nobody likes to mend one fault after the other."""
    with pytest.raises(ValueError, match="must") as caught:
        read_retention("dayly=7 weekly=x max_age=never hourly=48 monthly=1 yearly=1 weekly")

    assert len(str(caught.value).split("; ")) >= 4
    for name in ("dayly", "weekly: must", "max_age", "weekly: must be RULE=VALUE"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    "text", ["hourly=48 daily=2", "daily=7 weekly=1", "daily=31 monthly=1", "weekly=5 monthly=1", "monthly=12 yearly=1"]
)
def test_a_rarer_tier_that_reaches_as_far_is_right(text: str) -> None:
    """Twelve months are a year."""
    assert str(read_retention(text)) == text


@pytest.mark.parametrize(
    ("text", "mended", "or_mended"),
    [
        ("hourly=49 daily=2", "daily=3", "hourly=48"),
        ("daily=30 weekly=4", "weekly=5", "daily=28"),
        ("weekly=6 monthly=1", "monthly=2", "weekly=5"),
        ("monthly=13 yearly=1", "yearly=2", "monthly=12"),
        ("hourly=200 weekly=1", "weekly=2", "hourly=168"),
    ],
)
def test_a_rarer_tier_must_reach_as_far_as_a_more_frequent_one(text: str, mended: str, or_mended: str) -> None:
    """Else it would keep nothing of its own; the message says both ways to mend it."""
    with pytest.raises(ValueError, match="reaches less far back than") as caught:
        read_retention(text)

    assert f"must be at least {mended}, or {or_mended} at most" in str(caught.value)
    first, second = text.split()
    assert str(read_retention(f"{first} {mended}")) == f"{first} {mended}"
    assert str(read_retention(f"{or_mended} {second}")) == f"{or_mended} {second}"


@given(st.dictionaries(st.sampled_from(Tier), st.integers(1, 400), min_size=1))
def test_only_what_reaches_is_taken(tiers: dict[Tier, int]) -> None:
    """For every pair of tiers."""
    text = str(Retention(tiers=tiers))

    if reaches(tiers):
        assert read_retention(text).tiers == tiers
    else:
        with pytest.raises(ValueError, match="reaches less far back"):
            read_retention(text)


def test_every_pair_of_tiers_has_a_ratio() -> None:
    """A rarer tier knows all that are more frequent."""
    order = list(Tier)

    assert {rarer: set(within) for rarer, within in MOST_WITHIN.items()} == {
        tier: set(order[:number]) for number, tier in enumerate(order) if number
    }


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
