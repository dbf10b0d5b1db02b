"""The whole function audit_backups on fakes: what it returns, publishes, raises and logs."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bootstrap import audit_backups
from shared.errors import (
    AmbiguousError,
    CloudError,
    DeniedError,
    SettingsError,
    ThrottledError,
    TransientError,
    UnfinishedEventError,
)
from shared.model import Backup, Instance
from tests.fakes import (
    INSTANCES,
    START,
    A,
    FakeClock,
    FakeCloud,
    FakeContext,
    FakeDds,
    FakeInstances,
    FakeTopic,
    Steady,
    fake_connect,
)
from tests.triggers import documented as doc


URN = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"
OURS = f"key:{'0' * 32}"
NIGHTLY = {"policies": [{"name": "nightly", "select": {"name": "*"}, "expected_interval": "1d", "grace": "2h"}]}
TEXT = json.dumps(NIGHTLY)


class Killed(BaseException):
    """The platform ends the process."""


class Platform:
    """FunctionGraph with audit_backups on fakes: of the instances, `good` have a backup of this night."""

    def __init__(self, instances: int = 3, good: int = 1, **settings: str) -> None:
        self.clock = FakeClock()
        self.dds = FakeDds(self.clock)
        ids = INSTANCES[:instances] if instances <= len(INSTANCES) else [f"{n:032x}in02" for n in range(instances)]
        self.instances = FakeInstances([Instance(one, f"db-{n}") for n, one in enumerate(ids)])
        for one in ids[:good]:
            begin = START - timedelta(hours=3)
            self.dds.backups.append(Backup(f"b-{one}", "nightly", one, "COMPLETED", begin, OURS, size=10))
        self.topic = FakeTopic()
        self.context = FakeContext({"NOTIFY_TOPIC_URN": URN, **settings})
        self.cloud = FakeCloud(self.dds, self.topic, self.instances)
        self.start()

    def start(self) -> None:
        """A new instance of the function."""
        self.function = audit_backups(connect=fake_connect(self.cloud), clock=self.clock, rng=Steady(), environment={})

    def deliver(self, event: object) -> Any:
        """One delivery of an event."""
        return self.function.handle(event, self.context)

    def published(self) -> list[dict[str, Any]]:
        """The CloudEvents on the topic."""
        return [json.loads(notification.body) for notification in self.topic.sent]

    def told(self) -> list[tuple[str, str]]:
        """Type and subject of each finding on the topic; of a report its verdict."""
        return [
            (event["type"].rpartition(".")[2], event["data"].get("verdict") or event["subject"])
            for event in self.published()
        ]


def tick(text: str = TEXT, hours: float = 0) -> dict[str, Any]:
    """The timer's tick, so many hours after the clock's start."""
    return doc.timer(text, time=(START + timedelta(hours=hours)).isoformat())


MISSED = [("missed", INSTANCES[1]), ("missed", INSTANCES[2])]
EVENTS: dict[str, object] = {
    "timer": tick(),
    "smn": doc.smn(doc.smn_record(TEXT)),
    "kafka": doc.kafka(TEXT),
    "rabbitmq": doc.rabbitmq(TEXT),
    "rocketmq": doc.rocketmq(TEXT),
    "eventgrid": doc.eventgrid(NIGHTLY),
    "direct": NIGHTLY,
}


@pytest.fixture
def platform() -> Platform:
    return Platform(MAX_CONCURRENCY="1")


@pytest.mark.parametrize("trigger", EVENTS)
def test_each_trigger_does_the_audit(platform: Platform, trigger: str) -> None:
    """The report first, then each finding by itself; an audit with findings is a successful one."""
    report = platform.deliver(EVENTS[trigger])

    assert (report["status"], report["trigger"]) == ("SUCCEEDED", trigger)
    (audit,) = report["audits"]
    assert (audit["verdict"], audit["notified"], audit["totals"]["fine"]) == ("findings", True, 1)
    assert platform.told() == [("audited", "findings"), *MISSED]


def test_a_report_comes_when_all_is_well() -> None:
    """Silence is never success."""
    platform = Platform(instances=2, good=2)

    report = platform.deliver(tick())

    assert report["audits"][0]["verdict"] == "all_well"
    assert platform.told() == [("audited", "all_well")]


@pytest.mark.parametrize(("hours", "verdict"), [(23, "all_well"), (24, "findings")])
def test_the_time_of_the_audit_is_that_of_the_tick(hours: float, verdict: str) -> None:
    """Not that of its delivery: the clock stands still here."""
    platform = Platform(instances=1, good=1)

    assert platform.deliver(tick(hours=hours))["audits"][0]["verdict"] == verdict


@pytest.mark.parametrize("text", ["", "  ", "{}", '{"policies": []}'])
def test_a_request_without_policies_audits_what_needs_none(text: str) -> None:
    """Tagged instances, failed and stuck backups, backups of deleted instances."""
    platform = Platform(instances=1, good=0)
    platform.instances.known = [Instance(A, "orders", tags={"backup": ""})]
    platform.dds.add("gone", "old")
    platform.dds.add(A, "failed", OURS, "FAILED")
    platform.dds.add(A, "building", OURS, "BUILDING")

    (audit,) = platform.deliver(tick(text, hours=7))["audits"]

    assert {name for name, total in audit["totals"].items() if total} == {
        "instances",
        "uncovered",
        "failed_backups",
        "stuck_backups",
        "deleted_instances",
        "deleted_instances_backups",
    }
    assert platform.told() == [("audited", "findings"), ("uncovered", A)]


def test_a_tick_delivered_again_says_the_same_and_the_next_night_something_new(platform: Platform) -> None:
    """By the CloudEvents id."""
    for event in (tick(), tick(), tick(hours=24)):
        platform.deliver(event)

    ids = [event["id"] for event in platform.published()]
    assert ids[:3] == ids[3:6]
    assert len(set(ids)) == 7  # the next night the third instance is missed too


def test_all_requests_of_an_event_share_one_list() -> None:
    """Each has its own report."""
    platform = Platform()

    report = platform.deliver(doc.kafka(TEXT, TEXT, "{}"))

    assert [audit["verdict"] for audit in report["audits"]] == ["findings", "findings", "all_well"]
    assert platform.dds.calls == ["list"]
    assert len({event["id"] for event in platform.published()}) == 3 + 4


def test_an_event_without_a_request_calls_nothing(platform: Platform) -> None:
    """Our own announcement, from a topic wired in a circle."""
    platform.deliver(tick())
    platform.dds.calls.clear()

    report = platform.deliver(doc.smn(doc.smn_record(platform.topic.sent[0].body)))

    assert (report["status"], report["ignored"], report["audits"]) == ("SUCCEEDED", 1, [])
    assert platform.dds.calls == []


@pytest.mark.parametrize("which", ["instances", "backups"])
@pytest.mark.parametrize("error", [TransientError("x"), ThrottledError("x", retry_after=1000)])
def test_a_list_that_fails_is_neither_all_well_nor_all_missed(which: str, error: CloudError) -> None:
    """Nothing is said of any instance; the event comes again, and then all is said."""
    platform = Platform(MAX_CONCURRENCY="1")
    faults: list[Any] = platform.instances.faults if which == "instances" else platform.dds.list_faults
    faults += [error] * 20

    with pytest.raises(UnfinishedEventError, match=rf"left for a redelivery: audit \({error.code}\)"):
        platform.deliver(tick())

    assert platform.told() == [("audited", "failed")]
    faults.clear()
    platform.clock.sleep(1000)
    platform.deliver(tick())
    assert platform.told() == [("audited", "failed"), ("audited", "findings"), *MISSED]
    assert len({event["id"] for event in platform.published()}) == 4


@pytest.mark.parametrize("which", ["instances", "backups"])
def test_a_hiccup_costs_nothing(which: str) -> None:
    """A list is asked for again while the time allows."""
    platform = Platform(MAX_CONCURRENCY="1")
    faults: list[Any] = platform.instances.faults if which == "instances" else platform.dds.list_faults
    faults += [TransientError("x"), ThrottledError("x"), TransientError("x")]

    assert platform.deliver(tick())["status"] == "SUCCEEDED"
    assert platform.told() == [("audited", "findings"), *MISSED]


def test_an_audit_that_may_not_be_done_is_told_and_not_raised() -> None:
    """Without the permission it fails however often the event comes."""
    platform = Platform()
    platform.dds.list_faults = [DeniedError("no", cloud_code="DBS.280408", status=403)]

    report = platform.deliver(tick())

    assert report["status"] == "FAILED"
    assert platform.told() == [("audited", "failed")]
    assert report["audits"][0]["cloud_code"] == "DBS.280408"


def test_an_audit_that_may_not_be_done_is_raised_if_that_cannot_be_told() -> None:
    """Then FunctionGraph's failure destination speaks."""
    platform = Platform()
    platform.dds.list_faults = [DeniedError("no")]
    platform.topic.faults = [AmbiguousError("x")] * 10

    with pytest.raises(UnfinishedEventError, match=r"audit \(denied\)"):
        platform.deliver(tick())


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_what_cannot_be_published_is_raised_and_published_by_the_redelivery(taken: int) -> None:
    """The report or a finding: under the same ids."""
    platform = Platform(MAX_CONCURRENCY="1")
    platform.topic.faults = [*[None] * taken, DeniedError("x")]
    with pytest.raises(UnfinishedEventError, match=r"audit \(not_notified\)"):
        platform.deliver(tick())
    assert len(platform.topic.sent) == 2

    assert platform.deliver(tick())["status"] == "SUCCEEDED"

    assert set(platform.told()) == {("audited", "findings"), *MISSED}
    assert len({event["id"] for event in platform.published()}) == 3


def test_a_caller_reads_what_was_not_published() -> None:
    """A direct call raises nothing."""
    platform = Platform(MAX_CONCURRENCY="1")
    platform.topic.faults = [None, DeniedError("x")]

    report = platform.deliver(NIGHTLY)

    assert (report["status"], report["audits"][0]["unpublished_findings"]) == ("FAILED", 1)


@pytest.mark.parametrize(("most", "told"), [("2", 3), ("1", 1), ("0", 1)])
def test_of_too_many_findings_only_the_report_is_published(most: str, told: int) -> None:
    """A fleet without any backup must not send 2,000 messages; the report says so."""
    platform = Platform(MAX_FINDINGS_PUBLISHED=most)

    (audit,) = platform.deliver(tick())["audits"]

    assert len(platform.topic.sent) == told
    assert audit["findings_published"] is (told > 1)
    assert (audit["totals"]["missed"], len(audit["missed"])) == (2, 2)


def test_no_instances_at_all_are_no_peace() -> None:
    """An empty list empties every policy."""
    (audit,) = Platform(instances=0, good=0).deliver(tick())["audits"]

    assert (audit["verdict"], audit["empty_policies"]) == ("findings", ["nightly"])


def test_nonsense_is_rejected_on_the_topic() -> None:
    """All of it, so that a slip in template.yaml does not silence the audit; the valid message beside it is done."""
    platform = Platform(MAX_CONCURRENCY="1")
    wrong = '{"policies": [{"name": "n", "select": {"name": "*"}, "interval": "1d"}]}'

    report = platform.deliver(doc.smn(doc.smn_record(wrong, "m1"), doc.smn_record(TEXT, "m2")))

    assert report["status"] == "PARTIALLY_FAILED"
    assert [fault.partition(": ")[0] for fault in report["rejected"][0]["errors"]] == [
        "policies.0.expected_interval",
        "policies.0.interval",
    ]
    assert {event["type"] for event in platform.published()} == {
        "dds.backup.rejected",
        "dds.backup.audited",
        "dds.backup.missed",
    }


def test_a_rejection_that_cannot_be_announced_is_raised(platform: Platform) -> None:
    """Else nobody would ever hear that the timer's policies are nonsense."""
    platform.topic.faults = [DeniedError("x")]

    with pytest.raises(UnfinishedEventError, match="user_event rejected"):
        platform.deliver(tick('{"policies": 1}'))


@pytest.mark.parametrize(
    ("body", "fault", "status"),
    [
        (TEXT, None, 200),
        ("{}", None, 200),
        ('{"policies": 1}', None, 400),
        (TEXT, DeniedError("x"), 403),
        (TEXT, ThrottledError("x", retry_after=1000), 429),
        (TEXT, TransientError("x"), 502),
    ],
    ids=range(6),
)
def test_the_http_status_says_whether_the_audit_was_done(body: str, fault: CloudError | None, status: int) -> None:
    """200 whatever it found: the verdict is in the body."""
    platform = Platform()
    platform.dds.list_faults = [fault] * 20

    answer = platform.deliver(doc.apig(body))

    assert answer["statusCode"] == status
    if status == 200:
        assert json.loads(answer["body"])["audits"][0]["verdict"] in {"findings", "all_well"}


def test_each_finding_has_a_line_in_the_log_and_the_invocation_its_own(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the totals."""
    platform.deliver(tick())

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("WARNING", "backup missed"),
        ("WARNING", "backup missed"),
        ("INFO", "invocation"),
    ]
    assert (lines[0]["instance_id"], lines[0]["policy"]) == (INSTANCES[1], "nightly")
    (audit,) = lines[2]["audits"]
    assert (audit["verdict"], audit["covered"], audit["missed"]) == ("findings", 3, 2)


def test_an_audit_that_failed_is_an_error_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """With DDS's own code."""
    platform = Platform()
    platform.instances.faults = [DeniedError("no", cloud_code="DBS.280408")]

    platform.deliver(tick())

    line = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (line["level"], line["message"], line["cloud_code"]) == ("ERROR", "audit failed", "DBS.280408")


@pytest.mark.parametrize(
    ("name", "value"),
    [("STUCK_AFTER", "0s"), ("STUCK_AFTER", "long"), ("BACKUP_TAG", "t" * 37), ("MAX_FINDINGS_PUBLISHED", "-1")],
)
def test_wrong_settings_are_named(name: str, value: str) -> None:
    """At the start."""
    platform = Platform()
    platform.context.user_data[name] = value

    with pytest.raises(SettingsError, match=name):
        platform.function.start(platform.context)


def test_the_settings_are_heeded() -> None:
    """The tag, and how long a backup may take."""
    platform = Platform(instances=1, good=1, STUCK_AFTER="90m", BACKUP_TAG="dr")
    platform.instances.known = [Instance(A, "orders", tags={"dr": "gold"})]
    platform.dds.add(A, "building", OURS)

    (audit,) = platform.deliver(tick("", hours=1.6))["audits"]

    assert (audit["totals"]["uncovered"], audit["totals"]["stuck_backups"]) == (1, 1)


FAULTS = st.lists(
    st.sampled_from([None, None, TransientError("x"), ThrottledError("x"), ThrottledError("x", retry_after=400)]),
    max_size=8,
)
KILLS = st.lists(
    st.sampled_from([None, None, TransientError("x"), AmbiguousError("x"), DeniedError("x"), Killed()]), max_size=12
)


@given(FAULTS, FAULTS, KILLS, st.integers(1, 9), st.integers(0, 9), st.integers(0, 2))
def test_whatever_happens_each_finding_is_announced_and_nothing_else(
    instance_faults: list[Any],
    backup_faults: list[Any],
    publish_faults: list[Any],
    instances: int,
    good: int,
    again: int,
) -> None:
    """Faults at any call, the process killed at any publish, delivered until it succeeds and again after that."""
    platform = Platform(instances, good, MAX_CONCURRENCY="1")
    platform.instances.faults = [fault for fault in instance_faults if fault]
    platform.dds.list_faults = backup_faults
    platform.topic.faults = publish_faults

    def deliver() -> bool:
        try:
            return bool(platform.deliver(tick()))
        except UnfinishedEventError:
            return False
        except Killed:
            platform.start()
            return False

    while not deliver():
        platform.clock.sleep(60)
    for _ in range(again):
        deliver()

    expected = {("missed", one) for one in INSTANCES[good:instances]}
    verdict = "findings" if expected else "all_well"
    assert set(platform.told()) - {("audited", "failed")} == {("audited", verdict), *expected}
    ids: dict[object, set[str]] = {}
    for event in platform.published():
        ids.setdefault((event["type"], event["subject"], event["data"].get("verdict")), set()).add(event["id"])
    assert all(len(found) == 1 for found in ids.values())
    assert len(set.union(*ids.values())) == len(ids)
