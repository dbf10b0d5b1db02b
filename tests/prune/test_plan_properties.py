"""What holds for every plan, whatever the backups and rules; and two years of nights."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.identity import key_of
from shared.model import Backup
from shared.prune.plan import FAILED_KEPT_FOR, RECENT, Fate, make_plan
from shared.prune.retention import Retention, Tier, read_retention
from tests.prune.made import DAY, NOW, backups, deleted, fleets, kept, made, retentions, zones


FEW = settings(max_examples=40, deadline=None)


@FEW
@given(fleets, retentions, zones)
def test_nothing_protected_is_ever_deleted(fleet: list[Backup], retention: Retention, zone: tzinfo) -> None:
    """Each interlock, judged here for itself."""
    going = deleted(make_plan(fleet, retention, NOW, zone))
    restoring = {backup.instance_id for backup in fleet if backup.is_restoring}

    for backup in fleet:
        if backup.id in going:
            assert key_of(backup.description)
            assert backup.status in {"COMPLETED", "FAILED"}
            assert backup.begin_time
            assert backup.end_time
            assert backup.end_time <= NOW
            assert NOW - backup.begin_time >= RECENT
            assert backup.instance_id not in restoring
            assert backup.status == "COMPLETED" or NOW - backup.begin_time > FAILED_KEPT_FOR


@FEW
@given(fleets, retentions, zones)
def test_the_newest_completed_backup_of_each_instance_stays(
    fleet: list[Backup], retention: Retention, zone: tzinfo
) -> None:
    """After the deletion each instance that had a completed backup has it still."""
    going = deleted(make_plan(fleet, retention, NOW, zone))
    completed = [b for b in fleet if b.status == "COMPLETED" and b.begin_time and key_of(b.description)]

    for instance_id in {backup.instance_id for backup in completed}:
        of_instance = [backup for backup in completed if backup.instance_id == instance_id]
        assert max(of_instance, key=lambda b: (str(b.begin_time), b.id)).id not in going


@FEW
@given(fleets, retentions, zones)
def test_every_backup_of_ours_is_judged_once_and_every_kept_one_names_a_rule(
    fleet: list[Backup], retention: Retention, zone: tzinfo
) -> None:
    """And nobody else's is."""
    plan = make_plan(fleet, retention, NOW, zone)
    verdicts = [verdict for instance in plan.instances for verdict in instance.verdicts]

    assert sorted(v.backup.id for v in verdicts) == sorted(b.id for b in fleet if key_of(b.description))
    assert all(verdict.reasons for verdict in verdicts)
    known = {"last", "max_age", *(tier.value for tier in Tier)}
    assert all(set(verdict.reasons) <= known for verdict in verdicts if verdict.fate is Fate.KEEP)


@FEW
@given(fleets, retentions, zones, st.data())
def test_killed_anywhere_and_run_again_the_result_is_the_same(
    fleet: list[Backup], retention: Retention, zone: tzinfo, data: st.DataObject
) -> None:
    """A plan after some of the deletions deletes the others and nothing else; after all of them, nothing."""
    going = deleted(make_plan(fleet, retention, NOW, zone))
    done = data.draw(st.sets(st.sampled_from(sorted(going)))) if going else set()
    under_way = {backup_id for backup_id in done if sum(map(ord, backup_id)) % 2}

    left = [replace(b, status="DISABLED") if b.id in under_way else b for b in fleet if b.id not in done - under_way]

    assert deleted(make_plan(left, retention, NOW, zone)) == going - done
    assert not deleted(make_plan([b for b in fleet if b.id not in going], retention, NOW, zone))


@FEW
@given(fleets, retentions, zones, st.randoms(use_true_random=False))
def test_the_order_of_the_list_does_not_matter(
    fleet: list[Backup], retention: Retention, zone: tzinfo, chance: Random
) -> None:
    """Nor does a backup that is listed twice."""
    shuffled = [*fleet, *fleet[:3]]
    chance.shuffle(shuffled)

    assert make_plan(shuffled, retention, NOW, zone) == make_plan(fleet, retention, NOW, zone)


@FEW
@given(fleets, retentions, zones, st.data())
def test_a_larger_number_keeps_a_superset(
    fleet: list[Backup], retention: Retention, zone: tzinfo, data: st.DataObject
) -> None:
    """Of any rule, and a greater max_age too."""
    tier = data.draw(st.sampled_from(sorted(retention.tiers)))
    larger = replace(
        retention,
        last=retention.last + data.draw(st.integers(0, 3)),
        tiers={**retention.tiers, tier: retention.tiers[tier] + data.draw(st.integers(0, 3))},
        max_age=retention.max_age and retention.max_age + data.draw(st.integers(0, 3)) * DAY,
    )

    assert deleted(make_plan(fleet, larger, NOW, zone)) <= deleted(make_plan(fleet, retention, NOW, zone))


@FEW
@given(fleets, retentions, zones, st.data())
def test_a_list_that_lacks_backups_deletes_nothing_that_the_whole_one_keeps(
    fleet: list[Backup], retention: Retention, zone: tzinfo, data: st.DataObject
) -> None:
    """As long as it tells of restores: what is not seen is never a reason to delete more."""
    seen = [backup for backup in fleet if backup.is_restoring or data.draw(st.booleans())]

    assert deleted(make_plan(seen, retention, NOW, zone)) <= deleted(make_plan(fleet, retention, NOW, zone))


@FEW
@given(fleets, st.lists(backups.map(lambda b: replace(b, id=f"late {b.id}")), max_size=5), retentions, zones)
def test_what_comes_later_does_not_change_the_plan_for_a_time(
    fleet: list[Backup], late: list[Backup], retention: Retention, zone: tzinfo
) -> None:
    """A tick delivered again, hours after backups were made meanwhile, deletes the same."""
    after = [
        replace(b, begin_time=NOW + timedelta(hours=number + 1), end_time=None, is_restoring=False)
        for number, b in enumerate({b.id: b for b in late}.values())
    ]

    assert deleted(make_plan([*fleet, *after], retention, NOW, zone)) == deleted(make_plan(fleet, retention, NOW, zone))


@FEW
@given(fleets, retentions, zones, st.integers(1, 100 * 24))
def test_ticks_in_any_order_end_with_the_same(
    fleet: list[Backup], retention: Retention, zone: tzinfo, hours: int
) -> None:
    """An earlier tick that comes after a later one deletes nothing that the later one left."""
    settled = [replace(backup, is_restoring=False) for backup in fleet]
    earlier = NOW - timedelta(hours=hours)
    after_later = [b for b in settled if b.id not in deleted(make_plan(settled, retention, NOW, zone))]
    after_earlier = [b for b in settled if b.id not in deleted(make_plan(settled, retention, earlier, zone))]

    in_order = deleted(make_plan(after_earlier, retention, NOW, zone))
    assert not deleted(make_plan(after_later, retention, earlier, zone))
    assert {b.id for b in after_earlier} - in_order == {b.id for b in after_later}


def oracle(moments: list[datetime], retention: Retention, zone: tzinfo) -> set[datetime]:
    """The tiers as strings of local time say them, worked out in another way: from the periods, not the backups."""
    forms = {Tier.DAILY: "%Y-%m-%d", Tier.WEEKLY: "%G-W%V", Tier.MONTHLY: "%Y-%m", Tier.YEARLY: "%Y"}
    keep = set(sorted(moments)[-retention.last :] if retention.last else [])
    for tier, count in retention.tiers.items():
        labels = {moment: moment.astimezone(zone).strftime(forms[tier]) for moment in moments}
        for label in sorted(set(labels.values()))[-count:]:
            keep.add(max(moment for moment in moments if labels[moment] == label))
    return keep


@FEW
@given(
    st.sets(st.integers(0, 900 * 24 * 4), min_size=1, max_size=80),
    retentions.map(
        lambda r: replace(r, max_age=None, tiers={t: n for t, n in r.tiers.items() if t is not Tier.HOURLY})
    ),
    zones,
)
def test_the_rules_keep_what_an_oracle_says(quarters: set[int], retention: Retention, zone: tzinfo) -> None:
    """Any backups, any tiers of days and more, any zone."""
    moments = [NOW - timedelta(minutes=15 * (number + 1)) for number in quarters]
    plan = make_plan([made(moment) for moment in moments], replace(retention, last=retention.last + 1), NOW, zone)

    expected = oracle(moments, replace(retention, last=retention.last + 1), zone)
    assert {v.backup.begin_time for v in plan.of(Fate.KEEP)} == expected


def nights(zone: tzinfo, first: date, count: int) -> list[datetime]:
    """Two in the morning by the clocks of a zone, as a timer ticks."""
    days = (first + number * DAY for number in range(count))
    return [datetime.combine(day, time(2), zone).astimezone(timezone.utc) for day in days]


def test_two_years_of_nights_end_with_the_expected_backups() -> None:
    """A backup and a pruning a night, through four changes of the clocks."""
    berlin = ZoneInfo("Europe/Berlin")
    retention = read_retention("last=3 daily=7 weekly=4 monthly=12 yearly=2 max_age=800d")
    existing: list[Backup] = []
    ticks = nights(berlin, date(2024, 11, 25), 731)
    for tick in ticks:
        existing.append(made(tick))
        going = deleted(make_plan(existing, retention, tick + timedelta(hours=1), berlin))
        assert len(going) <= 3  # ordinary nights never come near the brake
        existing = [backup for backup in existing if backup.id not in going]

    rules = kept(make_plan(existing, retention, ticks[-1] + timedelta(hours=1), berlin))
    counts = {name: sum(name in names for names in rules.values()) for name in ("last", *(t.value for t in Tier))}
    assert counts == {"last": 3, "hourly": 0, "daily": 7, "weekly": 4, "monthly": 12, "yearly": 2}
    assert {backup.begin_time for backup in existing} == oracle(ticks, replace(retention, max_age=None), berlin)
    # 25 November 2026 is a Wednesday: seven days, with one Sunday among them; two more Sundays; the ends of eleven
    # more months, with that of 2025 among them.
    assert len(existing) == 7 + 2 + 11


@FEW
@given(st.lists(st.integers(1, 5), min_size=20, max_size=60), retentions, zones)
def test_pruning_each_night_or_seldom_ends_with_the_same(steps: list[int], retention: Retention, zone: tzinfo) -> None:
    """Nothing depends on how often it ran: a missed night is made up for by the next."""
    every = [made(NOW - 400 * DAY + number * timedelta(hours=13)) for number in range(sum(steps))]
    existing: list[Backup] = []
    left = list(every)
    for step in steps:
        existing += left[:step]
        left = left[step:]
        now = (existing[-1].end_time or NOW) + timedelta(hours=1)
        going = deleted(make_plan(existing, retention, now, zone))
        existing = [backup for backup in existing if backup.id not in going]

    at_once = deleted(make_plan(every, retention, now, zone))
    assert {b.id for b in existing} == {b.id for b in every} - at_once
