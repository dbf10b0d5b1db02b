"""The audits of an event: DDS is listed once for all of them, and each publishes its report and findings."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.audit.audit import AuditRules
from shared.audit.report import AuditResult
from shared.audit.request import AuditRequest
from shared.audit.service import AuditService, DueAudit
from shared.drills import DrillName
from shared.errors import CloudError, DeniedError, InvalidError, ThrottledError, TransientError
from shared.model import Instance, InstanceTask
from shared.notify import Notifier
from shared.report import Status
from tests.audit.fleet import NIGHTLY, SENDER
from tests.fakes import INSTANCES, FakeClock, FakeDds, FakeInstances, FakeJobs, FakeTopic, make_retrying


OURS = f"key:{'0' * 32}"


class Project:
    """Three instances, the first of which has a young good backup."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.dds = FakeDds(self.clock)
        self.dds.add(INSTANCES[0], "nightly", OURS, "COMPLETED")
        self.clock.sleep(3600)
        self.instances = FakeInstances([Instance(one, f"db-{number}") for number, one in enumerate(INSTANCES[:3])])
        self.topic = FakeTopic()

    def audit(self, *policies: dict[str, Any], audits: int = 1, most_findings: int = 50) -> list[AuditResult]:
        """Do equal audits of one event."""
        request = AuditRequest.model_validate({"policies": policies or [NIGHTLY]})
        service = AuditService(
            instances=self.instances,
            backups=self.dds,
            jobs=FakeJobs(self.dds),
            rules=AuditRules(timedelta(hours=6), "backup", timedelta(hours=6)),
            most_findings=most_findings,
            concurrency=1,
            retrying=make_retrying(self.clock),
            notifier=Notifier(self.topic, make_retrying(self.clock), SENDER),
        )
        return service.run([DueAudit(request, ("test", str(n)), self.clock.now()) for n in range(audits)])

    def fail(self, which: str, errors: list[Any]) -> None:
        """Let calls of the list of instances or of backups fail."""
        faults: list[Any] = self.instances.faults if which == "instances" else self.dds.list_faults
        faults[:] = errors

    def published(self) -> list[tuple[str, str]]:
        """Return the last part of the type of each event on the topic, and its verdict or subject."""
        events = [json.loads(notification.body) for notification in self.topic.sent]
        return [
            (event["type"].rpartition(".")[2], event["data"].get("verdict") or event["subject"]) for event in events
        ]


@pytest.fixture
def project() -> Project:
    return Project()


MISSED = [("missed", INSTANCES[1]), ("missed", INSTANCES[2])]


def test_the_report_is_published_before_the_findings(project: Project) -> None:
    """The verdict is known even if the time is over before the last finding."""
    (result,) = project.audit()

    assert (result.status, result.data["verdict"], result.data["findings_published"]) == (
        Status.SUCCEEDED,
        "findings",
        True,
    )
    assert project.published() == [("audited", "findings"), *MISSED]


def test_all_audits_of_an_event_share_the_lists(project: Project) -> None:
    """Each audit has its own report and findings."""
    assert [result.data["verdict"] for result in project.audit(audits=2)] == ["findings"] * 2

    assert project.dds.calls == ["list"]
    assert len(project.topic.sent) == 6


def test_without_an_audit_no_call_is_made(project: Project) -> None:
    """The event may have held only ignored messages."""
    assert project.audit(audits=0) == []

    assert project.dds.calls == []


def test_a_project_without_instances_is_a_finding(project: Project) -> None:
    """The policy covers no instance."""
    project.instances.known = []

    (result,) = project.audit()

    assert (result.data["verdict"], result.data["empty_policies"]) == ("findings", ["nightly"])


@pytest.mark.parametrize("which", ["instances", "backups"])
def test_a_list_that_fails_a_few_times_is_read_again(project: Project, which: str) -> None:
    """The audit is done."""
    project.fail(which, [TransientError("x"), ThrottledError("x"), TransientError("x")])

    (result,) = project.audit()

    assert result.status is Status.SUCCEEDED
    assert project.published() == [("audited", "findings"), *MISSED]


@pytest.mark.parametrize("which", ["instances", "backups"])
@pytest.mark.parametrize("error", [TransientError("x"), ThrottledError("x", retry_after=1000), DeniedError("x")])
def test_an_audit_without_a_list_is_neither_well_nor_missed(project: Project, which: str, error: CloudError) -> None:
    """Only the failure is published. A redelivery helps after a retryable error."""
    project.fail(which, [error] * 20)

    (result,) = project.audit()

    assert (result.codes, result.unfinished) == ([error.code], error.retryable)
    assert project.published() == [("audited", "failed")]


# What drills have verified.

ASKING = {**NIGHTLY, "verified_within": "7d"}


def test_the_task_list_is_read_once_and_only_if_a_policy_asks(project: Project) -> None:
    """Both audits use it."""
    project.audit(NIGHTLY)
    assert project.dds.calls == ["list"]

    results = project.audit(ASKING, audits=2)

    assert project.dds.calls[1:] == ["list", "jobs"]
    assert [result.data["totals"]["unverified"] for result in results] == [3, 3]


def test_a_drill_verifies_a_backup_by_the_task_list(project: Project) -> None:
    """The restore and the restart of its instance are over."""
    begin = project.clock.now() - timedelta(days=2)
    name = str(DrillName.of(begin, project.dds.backups[0].id))
    project.dds.restores = [
        InstanceTask("1", False, "copy", name, "Completed", begin, begin + timedelta(minutes=9)),
        InstanceTask("2", True, "copy", name, "Completed", begin + timedelta(minutes=12)),
    ]

    (result,) = project.audit(ASKING)

    assert (result.data["totals"]["verified"], result.data["totals"]["unverified"]) == (1, 2)
    assert project.published()[3:] == [("unverified", INSTANCES[1]), ("unverified", INSTANCES[2])]


@pytest.mark.parametrize("error", [TransientError("x"), ThrottledError("x", retry_after=20), DeniedError("x")])
def test_without_the_task_list_the_rest_of_the_audit_is_done(project: Project, error: CloudError) -> None:
    """Nothing counts as verified or as unverified, and the report says so after half a minute at the latest."""
    project.dds.job_faults = [error] * 50

    (result,) = project.audit(ASKING)

    assert (result.status, result.data["verdict"]) == (Status.SUCCEEDED, "findings")
    assert (result.data["verification"]["state"], result.data["verification"]["code"]) == ("not_known", error.code)
    assert project.published() == [("audited", "findings"), *MISSED]
    assert project.clock.seconds <= 3600 + 30


def test_a_leaked_drill_is_published(project: Project) -> None:
    """It counts among the findings that are published one by one."""
    project.instances.known = [Instance("copy", f"drill-20261101T000000Z-{9:032x}")]

    project.audit(ASKING, most_findings=1)

    assert project.published()[1:] == [("leaked", "copy")]
    assert len(project.audit(ASKING, most_findings=0)) == 1
    assert len(project.published()) == 3


@pytest.mark.parametrize(("most", "published"), [(2, 3), (1, 1), (0, 1)])
def test_too_many_findings_are_not_published_one_by_one(project: Project, most: int, published: int) -> None:
    """The report lists them and says so."""
    (result,) = project.audit(most_findings=most)

    assert len(project.topic.sent) == published
    assert result.data["findings_published"] is (published > 1)
    assert (result.data["totals"]["missed"], len(result.data["missed"])) == (2, 2)


@pytest.mark.parametrize(("accepted", "notified", "unpublished"), [(0, False, 0), (1, True, 1), (2, True, 1)])
def test_a_notification_that_smn_refuses_is_counted(
    project: Project, accepted: int, *, notified: bool, unpublished: int
) -> None:
    """The other notifications are published."""
    project.topic.faults = [*[None] * accepted, InvalidError("x"), InvalidError("x")]

    (result,) = project.audit()

    assert (result.notified, result.unpublished, result.codes) == (notified, unpublished, ["not_notified"])
    assert len(project.topic.sent) == 2
