"""What the topic hears: the verdict first, everything that is wrong, and never more than SMN takes."""

import json
from typing import Any

import pytest

from shared.audit.audit import Audit
from shared.audit.email import missed_message
from shared.audit.report import AuditNotifications
from shared.errors import DeniedError, TransientError
from shared.model import Notification
from shared.notify import Sender
from tests.audit.fleet import NIGHTLY, NOW, audit, backup, instance
from tests.fakes import ids_of


OCCASION = AuditNotifications(
    ("timer", "Morning", "t"), Sender("urn:fss:r:p:function:default:audit_backups", "r", "p", "q"), NOW
)
EVERYTHING = audit(
    [
        instance(1, name="orders"),
        instance(2, name="ill", status="frozen"),
        instance(3, name="fine"),
        instance(4, name="forgotten", tags={"backup": "daily"}),
    ],
    [
        backup(1, 100),
        backup(1, 1, "FAILED"),
        backup(3, 5),
        backup(3, 300, "BUILDING"),
        backup("gone", 900, size=3 * 1024**2),
    ],
    {**NIGHTLY, "select": {"name": "*", "exclude": ["forgotten"]}},
    {"name": "typo", "select": {"name": "prders"}, "expected_interval": "1d"},
    {"name": "ids", "instance_ids": ["unknown"], "expected_interval": "1d"},
)


def report(found: Audit) -> Notification:
    """The report of an audit."""
    return OCCASION.report(found, findings_published=True)[0]


def data_of(notification: Notification) -> Any:
    """The data of its CloudEvent."""
    return json.loads(notification.body)["data"]


def test_the_first_line_is_the_verdict() -> None:
    """At 3 a.m. nobody reads a second one if the first says that all is well."""
    found = report(EVERYTHING)

    assert found.email.splitlines()[0] == (
        "DDS backups audited: 2 missed, 1 not covered, 1 failed backup, 1 stuck backup, 2 empty policies, "
        "1 unknown instance; 1 of 3 covered instances are fine"
    )
    assert found.subject == found.email.splitlines()[0][:120]
    assert found.sms.startswith("DDS backups audited: 2 missed, 1 not covered")
    assert found.attributes == {"event_type": "dds_backup_audited", "outcome": "FINDINGS"}


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (audit([instance()], [backup(1, 1)]), "DDS backups audited: all well, 1 of 1 covered instances are fine"),
        (
            audit([instance()], policies=[]),
            "DDS backups audited: nothing found, but no policy says what to expect",
        ),
    ],
    ids=["all well", "no policies"],
)
def test_silence_is_never_success(found: Audit, line: str) -> None:
    """A report comes when all is well, and says so only if somebody said what to expect."""
    notification = report(found)

    assert notification.email.splitlines()[0] == line
    assert notification.attributes["outcome"] == "ALL_WELL"
    assert data_of(notification)["verdict"] == "all_well"


def test_the_mail_says_what_is_wrong_and_what_to_do() -> None:
    """A paragraph each, the advice beside the heading, a line an item."""
    paragraphs = report(EVERYTHING).email.split("\n\n")

    assert paragraphs[1] == "As of 2026-11-24T06:00:00Z; 4 instances in the project."
    headings = [paragraph.partition(" (")[0] for paragraph in paragraphs[2:9]]
    assert headings == [
        "MISSED",
        "NOT COVERED by any policy, though tagged for backup",
        "FAILED, with no good backup since",
        "STUCK",
        "POLICIES THAT COVER NO INSTANCE",
        "INSTANCES THAT DO NOT EXIST, but a policy names them",
        "DELETED INSTANCES WHOSE BACKUPS STILL COST",
    ]
    heading, ill, orders = paragraphs[2].splitlines()
    assert heading.startswith("MISSED (2). Look at the log of create_backup and at its timer, then")
    assert ill == (
        f"  - ill ({instance(2).id}): there is no good backup of this application, expected every 1 d, with 2 h of "
        "grace (policy nightly); no attempt is listed; the instance is frozen, and only a normal one can be backed up"
    )
    assert orders == (
        f"  - orders ({instance(1).id}): the newest good backup is 4 d 4 h old, expected every 1 d, with 2 h of grace "
        "(policy nightly); the last attempt, at 2026-11-24T05:00:00Z, is FAILED"
    )
    assert "BUILDING for 12 d 12 h" in paragraphs[5]
    assert "name of gone (gone): 1 backup, 3 GB" in paragraphs[8]


def test_a_backup_that_nobody_tried_to_make_is_told_as_such() -> None:
    """Then it is the timer that wants looking at, not DDS."""
    (old, *_) = audit([instance()], [backup(1, 100)]).missed

    assert missed_message(old).endswith("(policy nightly); no later attempt is listed")


def test_a_missed_backup_is_announced_by_itself() -> None:
    """With all that one needs to judge it."""
    notification = OCCASION.missed(EVERYTHING.missed[1])

    assert notification.subject == f"DDS backup missed: orders ({instance(1).id})"
    assert json.loads(notification.body)["subject"] == instance(1).id
    assert data_of(notification)["code"] == "backup_too_old"
    assert data_of(notification)["age_seconds"] == 100 * 3600
    assert data_of(notification)["newest_backup"]["begin_time"] == "2026-11-20T02:00:00Z"
    assert data_of(notification)["last_attempt"]["status"] == "FAILED"
    assert notification.email.splitlines()[2].startswith("The newest good backup is 4 d 4 h old")


def test_an_uncovered_instance_is_announced_by_itself() -> None:
    """With its tags."""
    notification = OCCASION.uncovered(EVERYTHING.uncovered[0], NOW)

    assert notification.attributes == {"event_type": "dds_backup_uncovered", "outcome": "UNCOVERED"}
    assert data_of(notification)["tags"] == {"backup": "daily"}
    assert data_of(notification)["instance_name"] == "forgotten"


@pytest.mark.parametrize(
    ("error", "what_next"), [(TransientError("HTTP 503"), "It is tried again"), (DeniedError("no"), "It is not tried")]
)
def test_an_audit_that_could_not_be_done_says_that_nothing_is_known(error: Any, what_next: str) -> None:
    """Neither "all well" nor "missed", under an id of its own, so that the report of a redelivery is not dropped."""
    notification, data = OCCASION.failure(error, NOW)

    assert notification.email.startswith("DDS backups audited: AUDIT FAILED, nothing is known of any backup\n")
    assert what_next in notification.email
    assert (data["verdict"], data["code"]) == ("failed", error.code)
    assert ids_of([notification]) != ids_of([report(EVERYTHING)])


@pytest.mark.parametrize("instances", [100, 2000])
@pytest.mark.parametrize("name", ["db", "订单数据库" * 12, '"\\\n' * 20], ids=["plain", "chinese", "escaped"])
def test_a_report_is_never_longer_than_smn_takes(instances: int, name: str) -> None:
    """The lists are cut, the totals never; and no more than needed."""
    fleet = [instance(number, name=f"{name}{number}", tags={"backup": name}) for number in range(instances)]
    policies = [{**NIGHTLY, "name": f"p{number}", "select": {"name": "none"}} for number in range(300)]
    backups = [backup(f"gone-{number}", 1, size=1) for number in range(instances)]
    found = audit([*fleet, *fleet], backups, NIGHTLY, *policies)
    notification, data = OCCASION.report(found, findings_published=False)

    structure = json.dumps({"default": notification.body, "email": notification.email, "sms": notification.sms})
    assert len(structure.encode()) <= 256 * 1024
    assert data["totals"]["missed"] == data["totals"]["deleted_instances"] == instances
    assert 10 <= len(data["missed"]) <= instances
    assert ("missed" in data["cut"]) is (len(data["missed"]) < instances)
    assert f"... and {instances - 20:,} more" in notification.email or len(data["missed"]) < 20
    assert "MAX_FINDINGS_PUBLISHED" in notification.email


def test_names_that_would_not_fit_at_all_leave_the_totals() -> None:
    """However long somebody made them."""
    fleet = [instance(number, name="n" * 300_000) for number in range(2)]
    notification, data = OCCASION.report(audit(fleet), findings_published=False)

    assert len(notification.body) < 10_000
    assert (data["missed"], data["cut"], data["totals"]["missed"]) == ([], ["policies", "missed"], 2)
