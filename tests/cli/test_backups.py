"""``ddsbackup backups``: the list, who made each backup, and until when which rule keeps it."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.backups.listing import Rules, list_everything, usual_interval
from localcloud import LocalCloud
from shared.drills import DrillName, Verified
from shared.fleet import Fence
from shared.model import Backup, Instance
from shared.prune.plan import RECENT, Fate, make_plan
from shared.prune.retention import Retention, Tier, read_retention, read_zone
from tests.deliveries import Deliveries


Run = Callable[..., Any]
UTC = timezone.utc
NOW = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = f"key:{'0' * 32}"
BERLIN = read_zone("Europe/Berlin")


def make(days: float, description: str = f"stack:mine;{KEY}", **changes: Any) -> Backup:
    """A completed backup of the instance i-1 that began so many days ago."""
    began = NOW - days * DAY
    facts: dict[str, Any] = {"instance_name": "orders", "end_time": began + timedelta(minutes=1), "size": 1024}
    return Backup(f"b-{days}", f"nightly-{days}", "i-1", "COMPLETED", began, description, **{**facts, **changes})


def keeping(backups: list[Backup], text: str, instance: Instance | None = None, **changes: Any) -> dict[str, Any]:
    """What is said of each backup under the rules of the stack "mine"."""
    rules = Rules(read_retention(text), UTC, Fence(("*",), "mine"), **changes)
    instances = [instance] if instance else []
    (listed,) = list_everything(instances, backups, rules, [], NOW)
    return {item.backup.id: item.keeping for item in listed.backups}


ORDERS = Instance("i-1", "orders", backup_days=7)

retentions = st.builds(
    Retention,
    last=st.integers(0, 4),
    tiers=st.dictionaries(st.sampled_from([Tier.HOURLY, Tier.DAILY, Tier.WEEKLY, Tier.MONTHLY]), st.integers(1, 4)),
    max_age=st.none() | st.integers(2, 60).map(lambda days: timedelta(days=days)),
).filter(lambda one: one.last or one.tiers or one.max_age)


@settings(max_examples=15)
@given(
    retentions,
    st.lists(st.integers(1, 24 * 90), min_size=1, max_size=12, unique=True),
    st.sampled_from([UTC, BERLIN]),
    st.sets(st.integers(0, 11), max_size=2),
)
def test_the_dates_are_what_pruning_does_later(
    retention: Retention, hours: list[int], zone: Any, verified: set[int]
) -> None:
    """With all later backups, prune_backups deletes a backup from its date on, and not before."""
    made = sorted((make(hour / 24) for hour in hours), key=lambda backup: backup.begin_time or NOW, reverse=True)
    proofs = [Verified(DrillName(NOW, made[n].id), NOW, 1.0) for n in verified if n < len(made)]
    (listed,) = list_everything([ORDERS], made, Rules(retention, zone), proofs, NOW)
    newest, interval = made[0].begin_time, listed.interval
    assert newest
    assert interval
    first = newest + ((NOW - newest) // interval + 1) * interval
    arrivals = [first + number * interval for number in range(40)]
    dates = {item.backup.id: item.keeping.until for item in listed.backups}
    going = {item.backup.id for item in listed.backups if item.keeping.note.startswith("no rule keeps it")}
    short = {proof.name.backup for proof in proofs}

    for moment in {NOW, *arrivals, arrivals[0] + RECENT, *filter(None, dates.values())}:
        new = [Backup(f"new-{one}", "", "i-1", "COMPLETED", one, KEY) for one in arrivals if one <= moment]
        # A backup is older than max_age, and a failed one old enough, only after the moment itself.
        plan = make_plan([*made, *new], retention, moment + timedelta(seconds=1), zone, verified=short)
        deleted = {verdict.backup.id for verdict in plan.of(Fate.DELETE)}
        if moment <= arrivals[-1]:
            expected = {backup_id for backup_id, date in dates.items() if date and date <= moment} | going
            assert deleted & dates.keys() == expected


def test_new_backups_come_as_so_far() -> None:
    """The interval is the median of the newest."""
    backups = [make(1), make(2), make(3), make(9)]

    assert usual_interval(backups) == DAY
    assert usual_interval(backups[:1]) == DAY


def test_ten_years_of_backups_every_minute_are_not_counted_one_by_one() -> None:
    """The rules that count days look at the first backup of each day."""
    minutes = [make(minute / 1440) for minute in range(1, 10)]

    said = keeping(minutes, "yearly=4", ORDERS)

    # The newest is protected until a newer one is a day old, and each of the others only for its youth.
    assert said[minutes[0].id].until == NOW + DAY + timedelta(minutes=1)
    assert said[minutes[1].id].until == NOW + DAY - timedelta(minutes=1)


def test_a_rule_keeps_a_backup_until_enough_newer_ones_exist() -> None:
    """With a backup a day, the third newest of last=3 goes with the next one."""
    said = keeping([make(1), make(2), make(3), make(4)], "last=3", ORDERS)

    assert (said["b-3"].rules, said["b-3"].until) == (("last",), NOW + DAY)
    assert said["b-1"].until == NOW + 3 * DAY
    assert said["b-4"].note == "no rule keeps it (no_rule): it is deleted next"


def test_a_dry_run_deletes_nothing() -> None:
    """So the note does not say that a backup is deleted."""
    said = keeping([make(day) for day in (1, 2, 3, 4)], "last=3", ORDERS, is_dry_run=True)

    assert "DRY_RUN is on" in said["b-4"].note


def test_nothing_newer_comes_for_a_deleted_instance() -> None:
    """Its backups are kept until max_age, if there is one, except for the newest, which is never deleted."""
    assert keeping([make(10)], "daily=7")["b-10"].until is None
    said = keeping([make(9), make(10)], "daily=7 max_age=30d")
    assert [said[one].until for one in ("b-9", "b-10")] == [None, NOW + 20 * DAY]


def test_a_young_backup_is_kept_for_a_day() -> None:
    """Whatever the rules say. After that, it is still the newest of those that are a day old, for an hour."""
    hourly = [make(hour / 24) for hour in (1, 2, 3, 4)]

    assert keeping(hourly, "last=4", ORDERS)[hourly[3].id].until == NOW + timedelta(hours=21)
    assert keeping(hourly, "last=1", ORDERS)[hourly[3].id].note == "protected: recent"


def test_the_rules_apply_to_the_backups_of_the_stack() -> None:
    """Of the others it is said who keeps them."""
    others = [
        make(1),
        make(2, f"stack:theirs;{KEY}"),
        make(3, "by hand"),
        make(4, "", is_automatic=True),
    ]
    said = keeping(others, "last=3", ORDERS)

    assert said["b-1"].rules == ("last",)
    assert said["b-2"].note == "kept by the rules of its stack, which are not known here"
    assert said["b-3"].note == "kept until somebody deletes it"
    assert (said["b-4"].note, said["b-4"].until) == ("kept by DDS for 7 days", NOW + 3 * DAY)
    assert keeping(others[3:4], "last=3")["b-4"].note == "DDS deletes automatic backups with their instance"


def test_a_failed_backup_is_kept_for_a_week() -> None:
    """So that somebody can look into it."""
    failed = Backup("b-5", "n", "i-1", "FAILED", NOW - 5 * DAY, f"stack:mine;{KEY}")

    assert keeping([failed], "last=3", ORDERS)["b-5"].until == NOW + 2 * DAY


def test_rules_to_try_apply_to_every_stack_by_itself() -> None:
    """The newest of each is kept."""
    mine, theirs = make(1), make(2, f"stack:theirs;{KEY}")
    (listed,) = list_everything([ORDERS], [mine, theirs], Rules(read_retention("last=1")), [], NOW)

    assert [item.keeping.rules for item in listed.backups] == [("last",), ("last",)]
    assert [item.made_by for item in listed.backups] == ["stack mine", "stack theirs"]


def test_a_drill_proves_a_backup() -> None:
    """The last drill counts."""
    proof = Verified(DrillName(NOW, "b-1"), NOW, 500.0)
    older = Verified(DrillName(NOW - DAY, "b-1"), NOW - DAY, 400.0)
    backup = Backup("b-1", "n", "i-1", "COMPLETED", NOW - DAY)
    (listed,) = list_everything([ORDERS], [backup, make(2)], Rules(None), [proof, older], NOW)

    assert [item.verified for item in listed.backups] == [proof, None]


# From here on: the command against the local cloud.


def test_the_list_for_people(ddsbackup: Run, cloud: LocalCloud) -> None:
    """Manual and automatic backups, of deleted instances too, in 80 columns; and the instances without any."""
    ran = ddsbackup("backups", "--cloud", cloud.url)

    assert ran.status == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "warehouse  ReplicaSet 4.0  21f0e9d8c7b64a5392817f6e5d4c3b2ain02  deleted" in ran.out
    assert "  made by hand; kept until somebody deletes it" in ran.out
    assert ran.out.index("before-release-42") < ran.out.index("before-release-41")
    assert "made by DDS (automatic); kept by" in ran.out
    assert "Without such a backup:" in ran.out
    assert "DRY_RUN of prune_backups is on: it deletes nothing." in ran.out


def test_the_list_as_json(ddsbackup: Run, cloud: LocalCloud) -> None:
    """One instance, the backups with one status, with the dates of the rules."""
    (instance,) = cloud.connection()["instance_ids"][:1]
    deliveries = Deliveries(cloud, [instance])
    deliveries.event = {"instance_ids": [instance], "idempotency_key": "k"}
    deliveries.deliver_until_it_succeeds()
    cloud.advance(600)

    ran = ddsbackup(
        "backups",
        "--cloud",
        cloud.url,
        "--instance",
        instance,
        "--status",
        "completed",
        "--retention",
        "last=2",
        "--json",
    )

    (listed,) = ran.json["instances"]
    (made, *_) = listed["backups"]
    assert (listed["instance_id"], listed["exists"], listed["kind"].split()[0]) == (instance, True, "Sharding")
    assert (made["type"], made["kept_by"], made["status"]) == ("manual", ["last"], "COMPLETED")
    assert 300 < made["age"] < 900
    assert made["kept_until"] > made["begin_time"]
    assert ran.json["retention"]["rules"] == "last=2"


def test_the_rules_of_the_template(ddsbackup: Run, cloud: LocalCloud) -> None:
    """The stack and the rules are those of the functions as they would be deployed."""
    given = ("--parameter", "Prefix=other")

    assert ddsbackup("backups", "--cloud", cloud.url, *given, "--json").json["retention"] == {
        "rules": "last=3 daily=7 weekly=4 monthly=12 yearly=2 max_age=800d",
        "time_zone": "UTC",
        "from": "prune_backups in template.yaml",
        "dry_run": True,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--instance", "custmers"], "did you mean 'customers'?"),
        (["--retention", "nightly=3"], "no such rule"),
        (["--time-zone", "UTC"], "--time-zone needs --retention"),
        (["--retention", "daily=3", "--time-zone", "Mars/Base"], "Mars/Base"),
    ],
)
def test_wrong_calls(ddsbackup: Run, cloud: LocalCloud, arguments: list[str], said: str) -> None:
    """The message says what was found."""
    ran = ddsbackup("backups", "--cloud", cloud.url, *arguments)

    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


def test_the_task_list_may_be_denied(ddsbackup: Run, cloud: LocalCloud) -> None:
    """The backups are listed all the same, and it is said that the drills are not known."""
    denied = {"error_code": "DBS.280032", "error_msg": "no"}
    cloud.set_faults([{"path": "/v3.1/.*/jobs$", "answer": {"status": 403, "body": denied}}])

    ran = ddsbackup("backups", "--cloud", cloud.url, "--instance", "customers")

    assert ran.status == 0
    assert (
        "It is not known which backups are verified: DBS.280032 (HTTP 403): no (IAM has to allow dds:task:list"
        in ran.err
    )
    assert "before-release-42" in ran.out


def test_a_denied_list_is_a_failure(ddsbackup: Run, cloud: LocalCloud) -> None:
    """The message names the action that IAM has to allow."""
    denied = {"error_code": "DBS.280032", "error_msg": "no"}
    cloud.set_faults([{"path": "/backups$", "answer": {"status": 403, "body": denied}}])

    ran = ddsbackup("backups", "--cloud", cloud.url)

    assert (ran.status, ran.out) == (1, "")
    assert "dds:backup:list" in ran.err
    assert "What to do: check the keys" in ran.err
