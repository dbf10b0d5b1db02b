"""RETENTION: what it says, and what is said of a wrong one."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backups.retention.periods import MOST_WITHIN, Tier
from shared.backups.retention.rules import Retention, read_retention
from tests.retention.made import reaches, retentions


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
