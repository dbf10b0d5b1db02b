"""What an audit makes of restore drills: leaked ones, and instances without a verified backup."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audit.audit import Audit, Verdict
from shared.audit.document import serialize_audit
from shared.audit.email import email_lines, verdict_line
from shared.drills import TAG, DrillName, Verified
from shared.errors import CloudError, DeniedError
from shared.model import Backup, Instance
from tests.audit.fleet import NIGHTLY, NOW, RULES, audit, backup, instance
from tests.audit.test_report import BUILD, notifications_of, validate


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTHLY = {**NIGHTLY, "name": "monthly", "verified_within": "30d"}
WEEKLY = {**NIGHTLY, "name": "weekly", "verified_within": "7d"}


def drilled(number: int, of: int = 1, age: float = 1, status: str = "COMPLETED") -> Backup:
    """Return a backup of an instance with an id like those of DDS."""
    return replace(backup(of, age, status), id=f"{number:032x}br02")


def mark(number: int, days: float) -> Verified:
    """The mark of a drill that verified a backup so many days ago."""
    time = NOW - days * DAY
    return Verified(DrillName.of(time - HOUR, f"{number:032x}br02"), time, 600.0)


def copy(number: int, hours: float | None, slot: float = 0.0, name: str = "", **facts: Any) -> Instance:
    """The instance of a drill that was made so many hours ago, of a slot before that."""
    drill = DrillName.of(NOW - timedelta(hours=(hours or 0) + slot), f"{number:032x}br02")
    return instance(90 + number, name=name or str(drill), age=hours, **facts)


def codes(found: Audit) -> dict[str, str | None]:
    """Return the codes of the proofs by the names of the instances."""
    return {proof.instance.name: proof.code for proof in found.proofs or ()}


# Drills are not judged.


@pytest.mark.parametrize("drill", [copy(1, 3), copy(1, 3, name="renamed", tags={TAG: "", "backup": "yes"})])
def test_the_instance_of_a_drill_is_neither_judged_nor_uncovered(drill: Instance) -> None:
    """It has no backup of its own, whatever its tags, and a policy for all instances does not cover it."""
    drill = replace(drill, tags={**drill.tags, "backup": "yes"})
    failed = [replace(backup("x", 1, status), instance_id=drill.id) for status in ("FAILED", "BUILDING")]
    stuck = replace(failed[1], id="stuck", begin_time=NOW - DAY)

    found = audit([instance(), drill], [backup(1, 1), *failed, stuck])

    assert found.verdict is Verdict.ALL_WELL
    assert [judgement.instance.name for judgement in found.judgements] == ["db-1"]
    assert (found.instances, found.deleted_instances) == (2, ())
    assert audit([drill]).empty_policies == ["nightly"]
    assert not audit([drill], policies=[]).uncovered


def test_an_instance_of_a_drill_that_a_policy_names_is_a_finding() -> None:
    """The reason is not that it does not exist."""
    drill = copy(1, 3)
    policy = {"name": "ids", "instance_ids": [instance(1).id, drill.id, "gone"], "expected_interval": "1d"}

    found = audit([instance(1), drill], [backup(1, 1)], policy)

    assert found.unknown_instances == (("ids", drill.id, "drill"), ("ids", "gone", "not_found"))
    assert serialize_audit(found, most=9)["unknown_instances"][0] == {
        "policy": "ids",
        "instance_id": drill.id,
        "code": "drill",
    }
    text = "\n".join(email_lines(found, most=9, findings_published=True))
    assert "\n\nINSTANCES OF RESTORE DRILLS that a policy names (1). Remove them from the policy: a drill's" in text
    assert f"not backed up.\n  - {drill.id} (policy ids)" in text
    assert text.count("- gone (policy ids)") == 1


# Leaked drills.


@pytest.mark.parametrize(
    ("drill", "is_leaked"),
    [
        (copy(1, 6.25), False),
        (copy(1, 6.26), True),
        (copy(1, 3, slot=9), False),
        (copy(1, None, slot=6.25), False),
        (copy(1, None, slot=6.26), True),
        (copy(1, 6.26, name="renamed", tags={TAG: "verified"}), True),
        (copy(1, 3, name="renamed", tags={TAG: ""}), False),
        (copy(1, None, name="renamed", tags={TAG: ""}), True),
        (copy(1, -1), False),
        (copy(1, 900 * 24, name="customers", tags={"backup": ""}), False),
    ],
    ids=range(10),
)
def test_an_instance_of_a_drill_leaks_a_quarter_of_an_hour_after_its_greatest_age(
    drill: Instance, *, is_leaked: bool
) -> None:
    """The age counts from its creation, or else from the slot in its name. Without both it counts as leaked."""
    found = audit([drill], policies=[])

    assert [leak.instance for leak in found.leaked_drills] == [drill] * is_leaked
    assert not is_leaked or found.verdict is Verdict.FINDINGS


def test_a_leaked_drill_has_a_notification_of_its_own() -> None:
    """The event is that of drill_backups, and says what is known of the drill."""
    found = audit([instance(1), copy(5, 50, slot=1, status="abnormal")], [drilled(5, age=60), backup(1, 1)])

    (leaked, report) = notifications_of(found)

    for notification in (leaked, report):
        validate(notification)
    event = json.loads(leaked.body)
    assert (event["type"], event["subject"]) == ("dds.drill.leaked", instance(95).id)
    assert leaked.attributes == {"event_type": "dds_drill_leaked", "outcome": "LEAKED", "severity": "error"}
    data = event["data"]
    assert (data["instance_id"], data["instance_name"]) == (instance(1).id, f"name of {instance(1).id}")
    assert (data["drill"], data["drill_instance_id"]) == (copy(5, 50, slot=1).name, instance(95).id)
    assert (data["slot"], data["created"], data["day"]) == ("2026-11-22T03:00:00Z", "2026-11-22T04:00:00Z", 1)
    assert (data["backup_id"], data["instance_status"]) == (drilled(5).id, "abnormal")
    assert data["backup_begin_time"] == "2026-11-21T18:00:00Z"
    assert (data["outcome"], data["code"], data["cleaned_up"]) == ("LEAKED", "too_old", "no")
    assert data["message"] == "the instance of a restore drill is still there: 2 d 2 h old, abnormal"
    assert leaked.subject.startswith("DDS restore drill left an instance: drill-20261122T030000Z-")
    assert report.email.startswith("DDS backups audited: 1 leaked drill; 1 of 1 covered instances are fine\n")
    assert "\n\nLEFT BY RESTORE DRILLS (1). Look at the log of drill_backups" in report.email
    assert f"({instance(95).id}): the instance of a restore drill is still there" in report.email


def test_a_leaked_drill_of_which_nothing_is_known_fits_the_schema() -> None:
    """It was renamed, and DDS does not say when it was made."""
    (leaked, report) = notifications_of(audit([copy(1, None, name="renamed", tags={TAG: ""})], policies=[]))

    validate(leaked)
    validate(report)
    data = json.loads(leaked.body)["data"]
    assert (data["drill"], data["slot"], data["created"], data["day"]) == ("renamed", None, None, None)
    assert data["message"] == "the instance of a restore drill is still there: an instance of unknown age, normal"


def test_the_oldest_leak_comes_first() -> None:
    """One of unknown age precedes it. The id decides between equal ones."""
    drills = [copy(1, 10), copy(3, 30), copy(2, 30), copy(4, None, name="renamed", tags={TAG: ""})]

    assert [leak.instance for leak in audit(drills).leaked_drills] == [drills[3], drills[2], drills[1], drills[0]]


# Unverified instances.


def test_without_verified_within_nothing_is_unverified() -> None:
    """The report says that no policy asks, even if the task list was not read."""
    for verified in ((), DeniedError("x")):
        found = audit([instance()], [backup(1, 1)], verified=verified)

        data = serialize_audit(found, most=9)
        assert (found.verdict, data["verification"], data["unverified"]) == (
            Verdict.ALL_WELL,
            {"state": "not_asked"},
            [],
        )
        assert [data["totals"][name] for name in ("verified", "verification_pending", "unverified")] == [None] * 3
        assert verdict_line(found) == "all well, 1 of 1 covered instances are fine"


@pytest.mark.parametrize(
    ("days", "code"), [(0, None), (30, None), (30.01, "verified_too_long_ago"), (-0.1, "not_verified")]
)
def test_an_instance_is_verified_if_a_drill_verified_a_backup_within_the_time(days: float, code: str | None) -> None:
    """A drill that ended after the moment of the audit does not count."""
    found = audit([instance()], [drilled(1)], MONTHLY, verified=[mark(1, days)])

    assert codes(found) == {"db-1": code}
    assert found.verdict is (Verdict.FINDINGS if code else Verdict.ALL_WELL)
    assert [proof.is_verified for proof in found.proofs or ()] == [code is None]
    assert [proof.is_pending for proof in found.proofs or ()] == [False]


def test_the_last_verification_counts() -> None:
    """Not the newest backup."""
    backups = [drilled(1, age=1), drilled(2, age=90), drilled(3, age=200)]
    marks = [mark(2, 3), mark(1, 9), mark(3, 4)]

    for verified in (marks, marks[::-1]):
        (proof,) = audit([instance()], backups, MONTHLY, verified=verified).proofs or ()

        assert proof.age == 3 * DAY
        assert proof.newest == (marks[0], backups[1])


@pytest.mark.parametrize(
    "listed",
    [[], [drilled(1, of=2)], [drilled(2)], [drilled(1, status="DISABLED")], [drilled(1, status="FAILED")]],
    ids=["none", "of another instance", "another", "being deleted", "failed"],
)
def test_a_mark_without_its_backup_verifies_nothing(listed: list[Backup]) -> None:
    """The backup that has come back is not there any more, or is another instance's."""
    found = audit([instance()], [backup(1, 1), *listed], MONTHLY, verified=[mark(1, 1)])

    assert codes(found) == {"db-1": "not_verified"}


def test_a_backup_that_others_made_counts_once_it_has_come_back() -> None:
    """The claim is that a restore works."""
    theirs = replace(drilled(1), description="by hand")

    found = audit([instance()], [backup(1, 1), theirs], MONTHLY, verified=[mark(1, 1)])

    assert codes(found) == {"db-1": None}


@pytest.mark.parametrize(
    ("drill", "code"),
    [
        (copy(1, 0), None),
        (copy(1, 6.25), None),
        (copy(1, 6.26), "not_verified"),
        (copy(2, 1), "not_verified"),
        (copy(3, 1), "not_verified"),
        (copy(1, -1), "not_verified"),
        (copy(1, 1, name="renamed", tags={TAG: ""}), "not_verified"),
    ],
    ids=["new", "old", "leaked", "of another instance", "of an unknown backup", "later", "renamed"],
)
def test_a_drill_under_way_is_pending(drill: Instance, code: str | None) -> None:
    """It is neither verified nor a finding, until its instance is too old."""
    found = audit([instance(), drill], [drilled(1), drilled(2, of=2)], MONTHLY)

    assert codes(found) == {"db-1": code}
    totals = serialize_audit(found, most=9)["totals"]
    assert (totals["verified"], totals["verification_pending"], totals["unverified"]) == (
        (0, 1, 0) if code is None else (0, 0, 1)
    )


def test_a_verified_instance_is_not_pending() -> None:
    """Even while the next drill is under way, or if it is young."""
    found = audit([instance(age=2), copy(1, 1)], [drilled(1)], MONTHLY, verified=[mark(1, 0)])

    (proof,) = found.proofs or ()
    assert (proof.is_verified, proof.is_pending, proof.code) == (True, False, None)
    assert verdict_line(found) == "all well, 1 of 1 covered instances are fine, 1 of 1 verified"


@pytest.mark.parametrize(("days", "code"), [(7, None), (7.01, "not_verified"), (None, "not_verified")])
def test_a_new_instance_has_time_for_its_first_drill(days: float | None, code: str | None) -> None:
    """As much as for every other one. One of unknown age has none."""
    found = audit([instance(age=None if days is None else days * 24)], [backup(1, 1)], WEEKLY)

    assert codes(found) == {"db-1": code}
    if code is None:
        assert verdict_line(found).endswith(", 0 of 1 verified (1 pending)")


@pytest.mark.parametrize("order", [1, -1])
def test_the_policy_with_the_shortest_time_decides(order: int) -> None:
    """Policies that do not ask have no say, nor has how often they expect a backup. The name decides between equals."""
    policies = [{**MONTHLY, "expected_interval": "1h"}, WEEKLY, {**WEEKLY, "name": "z"}, {**NIGHTLY, "name": "a"}]

    (proof,) = audit([instance()], [drilled(1)], *policies[::order], verified=[mark(1, 8)]).proofs or ()

    assert (proof.policy.name, proof.within, proof.code) == ("weekly", 7 * DAY, "verified_too_long_ago")


def test_only_the_instances_of_the_asking_policies_are_judged() -> None:
    """The others need no drill."""
    asking = {**WEEKLY, "select": {"name": "db-2"}}

    assert codes(audit([instance(1), instance(2)], [backup(1, 1)], NIGHTLY, asking)) == {"db-2": "not_verified"}
    assert audit([instance(1)], [backup(1, 1)], {**WEEKLY, "select": {"name": "x"}}).proofs == ()


def test_the_longest_unverified_come_first() -> None:
    """Instances of which no drill is known precede them, verified and pending ones follow."""
    instances = [instance(number, age=1 if number == 5 else 9999) for number in range(1, 7)]
    backups = [drilled(number, of=number) for number in range(1, 7)]
    patient = {**MONTHLY, "select": {"name": "db-4"}}
    policies = [patient, {**WEEKLY, "select": {"name": "*", "exclude": ["db-4"]}}]
    verified = [mark(1, 8), mark(2, 20), mark(3, 1), mark(4, 31)]

    found = audit(instances, backups, *policies, verified=verified)

    assert [proof.instance.name for proof in found.proofs or ()] == ["db-6", "db-2", "db-1", "db-4", "db-5", "db-3"]
    assert [proof.instance.name for proof in found.unverified] == ["db-6", "db-2", "db-1", "db-4"]


def test_an_unverified_instance_has_a_notification_of_its_own() -> None:
    """It has the backup that was verified last."""
    found = audit([instance(1), instance(2)], [drilled(1), backup(2, 1)], WEEKLY, verified=[mark(1, 8)])

    never, old, report = notifications_of(found)

    for notification in (never, old, report):
        validate(notification)
    assert never.subject == f"DDS backup unverified: db-2 ({instance(2).id})"
    assert old.attributes == {
        "event_type": "dds_backup_unverified",
        "outcome": "UNVERIFIED",
        "severity": "warning",
    }
    data = json.loads(old.body)["data"]
    assert (data["code"], data["policy"], data["audited_at"]) == (
        "verified_too_long_ago",
        "weekly",
        "2026-11-24T06:00:00Z",
    )
    assert (data["verified_within_seconds"], data["age_seconds"]) == (7 * 86_400, 8 * 86_400)
    assert data["last_verified"]["verified_at"] == "2026-11-16T06:00:00Z"
    assert data["last_verified"]["backup_id"] == drilled(1).id
    assert data["message"] == "a drill last verified a backup 8 d ago, expected within 7 d (policy weekly)"
    data = json.loads(never.body)["data"]
    assert (data["code"], data["age_seconds"], data["last_verified"]) == ("not_verified", None, None)
    assert report.email.startswith(
        "DDS backups audited: 2 unverified; 2 of 2 covered instances are fine, 0 of 2 verified\n"
    )
    assert "\n\nUNVERIFIED (2). Look at the reports of drill_backups" in report.email
    assert f"\n  - db-2 ({instance(2).id}): DDS tells of no drill of the last 30 days that verified" in report.email


def test_what_is_not_known_is_a_finding_and_never_verified() -> None:
    """No instance is judged by its drills. The rest of the audit is done."""
    error = DeniedError("no", cloud_code="DBS.280015")

    found = audit([instance(), copy(1, 1)], [drilled(1)], WEEKLY, verified=error)

    assert (found.verdict, found.proofs, found.unproved) == (Verdict.FINDINGS, (), error)
    assert [judgement.is_missed for judgement in found.judgements] == [False]
    (report,) = notifications_of(found)
    validate(report)
    data = json.loads(report.body)["data"]
    assert data["verification"] == {
        "state": "not_known",
        "code": "denied",
        "cloud_code": "DBS.280015",
        "message": "no",
    }
    assert [data["totals"][name] for name in ("verified", "verification_pending", "unverified")] == [None] * 3
    assert report.email.startswith(
        "DDS backups audited: not known what is verified; 1 of 1 covered instances are fine\n"
    )
    assert "\n\nNOT KNOWN WHAT IS VERIFIED (1). The agency of audit_backups needs dds:task:list." in report.email
    assert report.attributes["severity"] == "error"


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 40)), max_size=12),
    st.dictionaries(st.integers(1, 6), st.integers(1, 3), max_size=6),
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 12)), max_size=4, unique=True),
    st.sampled_from([None, DeniedError("x")]),
)
def test_the_proofs_agree_with_an_oracle(
    marks: list[tuple[int, int]],
    owners: dict[int, int],
    drills: list[tuple[int, int]],
    error: CloudError | None,
) -> None:
    """For any marks, backups and drills, each instance is verified, pending or unverified, and only one of them."""
    instances = [instance(number) for number in (1, 2, 3)]
    copies = [replace(copy(number, hours), id=f"copy-{number}-{hours}") for number, hours in drills]
    backups = [drilled(number, of=owner) for number, owner in owners.items()]

    found = audit([*instances, *copies], backups, WEEKLY, verified=error or [mark(*one) for one in marks])

    ages = {n: [days for number, days in marks if owners.get(number) == n] for n in (1, 2, 3)}
    running = {owners.get(number) for number, hours in drills if hours <= 6}
    verified = {n for n in (1, 2, 3) if min(ages[n], default=99) <= 7}
    states = {p.instance.name: (p.is_verified, p.is_pending, p.code is not None) for p in found.proofs or ()}
    expected = {f"db-{n}": (n in verified, n not in verified and n in running, False) for n in (1, 2, 3)}
    expected = {name: (a, b, not a and not b) for name, (a, b, _) in expected.items()}
    assert states == ({} if error else expected)
    assert len(found.leaked_drills) == sum(hours > 6 for _, hours in drills)
    for notification in notifications_of(found, BUILD):
        validate(notification)


def test_a_living_drill_of_known_age_leaks_by_its_age_alone() -> None:
    """The greatest age is a setting."""
    rules = [replace(RULES, drill_max_age=timedelta(hours=hours)) for hours in (1, 1.74, 1.75, 3)]

    found = [audit([copy(1, 2)], rules=one).leaked_drills for one in rules]

    assert [bool(leaked) for leaked in found] == [True, True, False, False]
    assert found[0][0].over == timedelta(minutes=45)
