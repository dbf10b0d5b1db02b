"""The rules of RETENTION: how they are read, which backups they keep, and the periods of a time zone."""

import sys
import zoneinfo
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.model import Backup
from shared.prune.retention import MOST_WITHIN, Retention, Tier, period_of, read_retention, read_zone
from tests.prune.backups import DAY, NOW, ZONES, make_backup, moments, nightly, reaches, retentions, zones


UTC = timezone.utc
BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)


# Reading the rules.


@pytest.mark.parametrize(
    "text", ["yearly=2,last=3", " last=3 ,  yearly=2\n", "LAST=3\tYearly=2", "last=003 yearly=2"], ids=range(4)
)
def test_rules_are_read_in_any_spelling(text: str) -> None:
    """Commas or blanks separate them. Order and case do not matter."""
    assert read_retention(text) == Retention(3, {Tier.YEARLY: 2})


@pytest.mark.parametrize(
    ("text", "age"), [("36h", timedelta(hours=36)), ("7D", timedelta(days=7)), ("52w", timedelta(weeks=52))]
)
def test_max_age_is_in_hours_days_or_weeks(text: str, age: timedelta) -> None:
    """A letter after the number gives the unit."""
    assert read_retention(f"max_age={text}").max_age == age


@pytest.mark.parametrize("text", ["last=1 max_age=1h", "last=1 max_age=25h", "last=1 max_age=400d"])
def test_an_age_is_written_in_days_or_else_in_hours(text: str) -> None:
    """An age of whole days is written in days, as people do."""
    assert str(read_retention(text)) == text


def test_no_rules_keep_nothing() -> None:
    """Each rule has to be asked for."""
    assert Retention() == Retention(last=0, tiers={}, max_age=None)
    assert Retention(max_age=DAY).tiers == {}


def test_the_largest_values_are_accepted() -> None:
    """A count of 10,000 and a text of 200 characters."""
    assert read_retention("last=10000" + " " * 190) == Retention(10_000)


def test_all_rules_fit_one_line() -> None:
    """Each tier, the newest backups and the age limit."""
    read = read_retention("last=3 hourly=24 daily=7 weekly=4 monthly=12 yearly=2 max_age=400d")

    assert read.last == 3
    assert read.tiers == {Tier.HOURLY: 24, Tier.DAILY: 7, Tier.WEEKLY: 4, Tier.MONTHLY: 12, Tier.YEARLY: 2}
    assert read.max_age == timedelta(days=400)


@given(retentions.filter(lambda retention: reaches(retention.tiers)))
def test_the_text_of_rules_can_be_read_back(retention: Retention) -> None:
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
        (f"daily={'9' * 100}", "daily: must be a number from 1 to 10,000"),
        ("x=1 " * 100, "must be at most 200 characters; found 400"),
        ("daily=many", "found 'many'"),
        ("dayly=7", "dayly: no such rule (did you mean daily?); the rules are last, hourly, daily"),
        ("daily=7 daily=8", "daily: must come once"),
        ("daily", "daily: must be RULE=VALUE without blanks in it, such as daily=7"),
        ("daily=", "daily=: must be RULE=VALUE"),
        ("max_age=3m", "max_age: must be a number of hours, days or weeks, such as 36h, 400d or 52w (a month has no"),
        ("daily=7=8", "daily: must be a number from 1 to 10,000; found '7=8'"),
        ("d" * 40 + "x" * 20, f"{'d' * 40}: must be RULE=VALUE"),
        (f"{'d' * 40}{'x' * 20}=7", f"{'d' * 40}: no such rule"),
        ("max_age=0d", "found '0d'"),
        ("max_age=7", "found '7'"),
    ],
    ids=range(18),
)
def test_a_wrong_rule_is_explained(text: str, fault: str) -> None:
    """The message says what was found and what is expected."""
    with pytest.raises(ValueError, match=r"must|no such rule") as caught:
        read_retention(text)

    assert fault in str(caught.value)


def test_a_value_that_is_not_a_text_is_explained() -> None:
    """A request can hold any JSON value as its retention."""
    with pytest.raises(ValueError, match=r"must be a text such as .*; found 7"):
        read_retention(7)


def test_all_errors_are_listed_at_once() -> None:
    """One attempt shows everything that has to be corrected."""
    with pytest.raises(ValueError, match="must") as caught:
        read_retention("dayly=7 weekly=x max_age=never hourly=48 monthly=1 yearly=1 weekly")

    assert len(str(caught.value).split("; ")) == 7
    assert "leave it out); max_age: must" in str(caught.value)
    for name in ("dayly", "weekly: must", "max_age", "weekly: must be RULE=VALUE"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *("hourly=48 daily=2", "hourly=336 weekly=2", "hourly=744 monthly=1", "hourly=8784 yearly=1"),
        *("daily=7 weekly=1", "daily=31 monthly=1", "daily=366 yearly=1"),
        *("weekly=5 monthly=1", "weekly=53 yearly=1", "monthly=12 yearly=1"),
    ],
)
def test_a_rarer_tier_may_reach_exactly_as_far_back(text: str) -> None:
    """Twelve months reach as far as one year."""
    assert str(read_retention(text)) == text


@pytest.mark.parametrize(
    ("text", "larger", "smaller"),
    [
        ("hourly=49 daily=2", "daily=3", "hourly=48"),
        ("daily=30 weekly=4", "weekly=5", "daily=28"),
        ("weekly=6 monthly=1", "monthly=2", "weekly=5"),
        ("monthly=13 yearly=1", "yearly=2", "monthly=12"),
        ("hourly=200 weekly=1", "weekly=2", "hourly=168"),
        ("hourly=745 monthly=1", "monthly=2", "hourly=744"),
        ("hourly=8785 yearly=1", "yearly=2", "hourly=8784"),
        ("daily=32 monthly=1", "monthly=2", "daily=31"),
        ("daily=367 yearly=1", "yearly=2", "daily=366"),
        ("weekly=54 yearly=1", "yearly=2", "weekly=53"),
    ],
)
def test_a_rarer_tier_must_reach_at_least_as_far_back(text: str, larger: str, smaller: str) -> None:
    """Otherwise it would keep nothing by itself. The message offers two corrections, and both are valid."""
    with pytest.raises(ValueError, match="reaches less far back than") as caught:
        read_retention(text)

    assert f"must be at least {larger}, or {smaller} at most" in str(caught.value)
    first, second = text.split()
    assert str(read_retention(f"{first} {larger}")) == f"{first} {larger}"
    assert str(read_retention(f"{smaller} {second}")) == f"{smaller} {second}"


@given(st.dictionaries(st.sampled_from(Tier), st.integers(1, 400), min_size=1))
def test_tiers_are_accepted_exactly_if_the_rarer_ones_reach_far_enough(tiers: dict[Tier, int]) -> None:
    """This holds for every pair of tiers."""
    text = str(Retention(tiers=tiers))

    if reaches(tiers):
        assert read_retention(text).tiers == tiers
    else:
        with pytest.raises(ValueError, match="reaches less far back"):
            read_retention(text)


def test_every_pair_of_tiers_has_a_ratio() -> None:
    """Each tier is compared with all more frequent ones."""
    order = list(Tier)

    assert {rarer: set(within) for rarer, within in MOST_WITHIN.items()} == {
        tier: set(order[:number]) for number, tier in enumerate(order) if number
    }


# Which backups the rules keep.


def keep(backups: list[Backup], rules: str | Retention, zone: tzinfo = UTC) -> dict[str, tuple[str, ...]]:
    """Return the rules that keep each backup."""
    newest_first = sorted(backups, key=lambda backup: str(backup.begin_time), reverse=True)
    return read_retention(rules).rules_that_keep(newest_first, NOW, zone)


def test_a_backup_names_every_rule_that_keeps_it() -> None:
    """The report shows all reasons."""
    backups = nightly(40)

    rules = keep(backups, "last=2 daily=3 weekly=2 monthly=2 yearly=1")

    # The backups begin at 02:00, the newest on 2026-11-24, a Tuesday.
    ids = [backup.id for backup in backups]
    assert rules == {
        ids[0]: ("last", "daily", "weekly", "monthly", "yearly"),
        ids[1]: ("last", "daily"),
        ids[2]: ("daily", "weekly"),  # Sunday
        ids[24]: ("monthly",),  # 31 October
    }


def test_periods_without_a_backup_do_not_count() -> None:
    """daily=7 keeps the newest backups of seven days that have one, as restic, K8up and Atlas do."""
    backups = [make_backup(NOW - number * 10 * DAY - QUARTER) for number in range(10)]

    assert len(keep(backups, "daily=7")) == 7


def test_max_age_alone_keeps_every_younger_backup() -> None:
    """This is the retention that DDS applies to automatic backups."""
    rules = keep(nightly(40), "max_age=30d")

    assert len(rules) == 30
    assert set(rules.values()) == {("max_age",)}


def test_max_age_is_exact_to_the_second() -> None:
    """It counts hours and not calendar days."""
    just, over = make_backup(NOW - 30 * DAY), make_backup(NOW - 30 * DAY - timedelta(seconds=1))

    assert set(keep([just, over], "max_age=30d")) == {just.id}


def oracle(moments: list[datetime], retention: Retention, zone: tzinfo) -> set[datetime]:
    """Find the kept backups from the texts of local dates, period by period."""
    forms = {Tier.DAILY: "%Y-%m-%d", Tier.WEEKLY: "%G-W%V", Tier.MONTHLY: "%Y-%m", Tier.YEARLY: "%Y"}
    kept = set(sorted(moments)[-retention.last :] if retention.last else [])
    for tier, count in retention.tiers.items():
        labels = {moment: moment.astimezone(zone).strftime(forms[tier]) for moment in moments}
        for label in sorted(set(labels.values()))[-count:]:
            kept.add(max(moment for moment in moments if labels[moment] == label))
    return kept


@settings(max_examples=40, deadline=None)
@given(
    st.sets(st.integers(1, 900 * 24 * 4), min_size=1, max_size=80),
    retentions.map(
        lambda r: replace(
            r, last=r.last + 1, max_age=None, tiers={t: n for t, n in r.tiers.items() if t is not Tier.HOURLY}
        )
    ),
    zones,
)
def test_the_rules_keep_the_same_backups_as_an_oracle(quarters: set[int], retention: Retention, zone: tzinfo) -> None:
    """This holds for any backups, zone and tiers, except the hourly one."""
    moments = [NOW - QUARTER * number for number in quarters]
    by_id = {backup.id: backup.begin_time for backup in map(make_backup, moments)}

    kept = keep([make_backup(moment) for moment in moments], retention, zone)

    assert {by_id[backup_id] for backup_id in kept} == oracle(moments, retention, zone)


# Time zones.


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove both time zone databases, that of the system and the package tzdata."""
    for name in {"tzdata", "tzdata.zoneinfo.Europe", *(name for name in sys.modules if name.startswith("tzdata"))}:
        monkeypatch.setitem(sys.modules, name, None)
    ZoneInfo.clear_cache()
    zoneinfo.reset_tzpath(to=[])
    yield
    zoneinfo.reset_tzpath()


@pytest.mark.parametrize("name", ["Europe/Berlin", "Asia/Shanghai", "America/Argentina/Ushuaia"])
def test_a_zone_is_read_by_its_iana_name(name: str) -> None:
    """The zone keeps the name."""
    assert str(read_zone(name)) == name


def test_a_zone_is_kept_as_it_is() -> None:
    """A setting may be read already. This zone is in no database."""
    zone = timezone(timedelta(hours=1, minutes=7))

    assert read_zone(zone) is zone


@pytest.mark.parametrize("name", ["UTC", "utc"])
def test_utc_needs_no_database(no_database: None, name: str) -> None:
    """The default works in every runtime."""
    assert read_zone(name) is UTC


def test_a_missing_database_is_reported(no_database: None) -> None:
    """The message does not claim that the zone does not exist."""
    with pytest.raises(
        ValueError,
        match=r"no time zone database to look 'Europe/Berlin' up in: "
        r"add the package tzdata to the function's zip, or use UTC$",
    ):
        read_zone("Europe/Berlin")


@pytest.mark.parametrize("name", ["Europe", "Europe/Berln", "../UTC", "/etc/localtime", "", "\0", 7, "x" * 5000])
def test_a_wrong_zone_is_explained(name: object) -> None:
    """A folder, a misspelling, a path and a number get the same message."""
    with pytest.raises(ValueError, match="must be a time zone's IANA name, such as UTC or Europe/Berlin; found"):
        read_zone(name)


def test_a_misspelt_zone_gets_a_suggestion() -> None:
    """The closest of about 600 names is suggested."""
    with pytest.raises(ValueError, match=r"\(did you mean Europe/Berlin\?\)"):
        read_zone("Europe/Berln")


def test_a_zone_that_resembles_no_other_closely_gets_no_suggestion() -> None:
    """Among 600 names a distant one would mislead more often than help."""
    with pytest.raises(ValueError, match=r"found 'Moscow'$"):
        read_zone("Moscow")


# Periods.


def quarters(begin: datetime, end: datetime) -> list[datetime]:
    return [begin + number * QUARTER for number in range((end - begin) // QUARTER)]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 10, 25), 25), (date(2026, 3, 29), 23), (date(2026, 7, 1), 24)], ids=str
)
def test_a_day_with_a_clock_change_has_23_or_25_hours(day: date, hours: int) -> None:
    """When the clocks go back, two hours share a name and stay two hours."""
    begin, end = (datetime.combine(d, time(), BERLIN).astimezone(UTC) for d in (day, day + timedelta(days=1)))
    moments = quarters(begin, end)

    assert len(moments) == hours * 4
    assert len({period_of(Tier.HOURLY, moment, BERLIN) for moment in moments}) == hours
    assert {period_of(Tier.DAILY, moment, BERLIN) for moment in moments} == {day}


def test_an_hour_is_the_same_from_its_first_microsecond_to_its_last() -> None:
    """The hours of all zones are compared in UTC, wherever the function runs."""
    begin = datetime(2026, 11, 24, 4, tzinfo=UTC)
    last = begin + timedelta(minutes=59, seconds=59, microseconds=999_999)

    assert period_of(Tier.HOURLY, begin, BERLIN) == period_of(Tier.HOURLY, last, BERLIN) == begin


def test_hours_are_those_of_the_zone() -> None:
    """An hour in Kolkata begins at half past the hour in UTC."""
    kolkata = ZoneInfo("Asia/Kolkata")
    begin = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)

    assert len({period_of(Tier.HOURLY, moment, kolkata) for moment in quarters(begin, begin + 4 * QUARTER)}) == 1


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_two_years_have_every_day_once(zone: tzinfo) -> None:
    """A clock change neither splits a day nor skips one."""
    begin = datetime(2024, 12, 31, 12, tzinfo=UTC)
    hours = [begin + number * timedelta(hours=1) for number in range(24 * 731)]
    days = list(dict.fromkeys(period_of(Tier.DAILY, hour, zone) for hour in hours))

    first = begin.astimezone(zone).date()
    assert days == [first + timedelta(days=number) for number in range(len(days))]
    assert len(days) in {731, 732}


def test_weeks_are_iso_weeks() -> None:
    """A week begins on Monday, and the week of New Year belongs to one year only."""
    sunday, monday = datetime(2027, 1, 3, 12, tzinfo=UTC), datetime(2027, 1, 4, 12, tzinfo=UTC)
    in_december = datetime(2026, 12, 31, 12, tzinfo=UTC)

    assert period_of(Tier.WEEKLY, in_december, UTC) == period_of(Tier.WEEKLY, sunday, UTC) == (2026, 53)
    assert period_of(Tier.WEEKLY, monday, UTC) == (2027, 1)


def test_months_and_weeks_of_different_years_differ() -> None:
    """November 2026 is not November 2025."""
    now, then = datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2025, 11, 18, 12, tzinfo=UTC)

    assert (now.isocalendar().week, then.isocalendar().week) == (48, 47)
    assert period_of(Tier.MONTHLY, now, UTC) != period_of(Tier.MONTHLY, then, UTC)
    assert period_of(Tier.WEEKLY, now, UTC) != period_of(Tier.WEEKLY, then + timedelta(weeks=1), UTC)


def test_a_day_begins_at_midnight_of_the_zone() -> None:
    """At 23:30 in UTC, Berlin already has the next day, month and year."""
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    assert [period_of(tier, late, BERLIN) == period_of(tier, late, UTC) for tier in Tier] == [
        True,
        False,
        True,
        False,
        False,
    ]


@given(moments, st.integers(1, 10**8), zones)
def test_a_frequent_period_lies_within_one_rarer_period(moment: datetime, later: int, zone: tzinfo) -> None:
    """An hour lies within one day, a day within one week, month and year."""
    other = moment + timedelta(seconds=later)
    same = {tier: period_of(tier, moment, zone) == period_of(tier, other, zone) for tier in Tier}

    assert not same[Tier.HOURLY] or same[Tier.DAILY]
    for rarer in (Tier.WEEKLY, Tier.MONTHLY, Tier.YEARLY):
        assert not same[Tier.DAILY] or same[rarer]
    assert not same[Tier.MONTHLY] or same[Tier.YEARLY]


@given(moments, zones)
def test_an_hour_lasts_at_most_an_hour(moment: datetime, zone: tzinfo) -> None:
    """A clock change does not prolong it."""
    assert period_of(Tier.HOURLY, moment, zone) != period_of(Tier.HOURLY, moment + timedelta(hours=1), zone)
