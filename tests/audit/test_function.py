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
    InvalidError,
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
from tests.system.killable import Killed
from tests.triggers import documented as doc


URN = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"
OURS = f"key:{'0' * 32}"
NIGHTLY = {"policies": [{"name": "nightly", "select": {"name": "*"}, "expected_interval": "1d", "grace": "2h"}]}
TEXT = json.dumps(NIGHTLY)


class Platform:
    """FunctionGraph with audit_backups on fakes: the first `good` of the instances have a backup that is 3 h old."""

    def __init__(self, instances: int = 3, good: int = 1, **settings: str) -> None:
        self.clock = FakeClock()
        self.dds = FakeDds(self.clock)
        self.instances = FakeInstances([Instance(one, f"db-{n}") for n, one in enumerate(INSTANCES[:instances])])
        for one in INSTANCES[:good]:
            begin = START - timedelta(hours=3)
            self.dds.backups.append(Backup(f"b-{one}", "nightly", one, "COMPLETED", begin, OURS, size=10))
        self.topic = FakeTopic()
        self.context = FakeContext({"NOTIFY_TOPIC_URN": URN, "MAX_CONCURRENCY": "1", **settings})
        self.cloud = FakeCloud(self.dds, self.topic, self.instances)
        self.start_instance()

    def start_instance(self) -> None:
        """Start a new instance of the function."""
        self.function = audit_backups(connect=fake_connect(self.cloud), clock=self.clock, rng=Steady(), environment={})

    def deliver(self, event: object) -> Any:
        """Deliver an event once."""
        return self.function.handle(event, self.context)

    def events(self) -> list[dict[str, Any]]:
        """Return the CloudEvents on the topic."""
        return [json.loads(notification.body) for notification in self.topic.sent]

    def published(self) -> list[tuple[str, str]]:
        """Return the last part of the type of each event on the topic, and its verdict or subject."""
        return [
            (event["type"].rpartition(".")[2], event["data"].get("verdict") or event["subject"])
            for event in self.events()
        ]


def timer_event(text: str = TEXT, hours: float = 0) -> dict[str, Any]:
    """A timer event that is due `hours` after the start of the fake clock."""
    return doc.timer(text, time=(START + timedelta(hours=hours)).isoformat())


MISSED = [("missed", INSTANCES[1]), ("missed", INSTANCES[2])]
EVENTS: dict[str, object] = {
    "timer": timer_event(),
    "smn": doc.smn(doc.smn_record(TEXT)),
    "kafka": doc.kafka(TEXT),
    "rabbitmq": doc.rabbitmq(TEXT),
    "rocketmq": doc.rocketmq(TEXT),
    "eventgrid": doc.eventgrid(NIGHTLY),
    "direct": NIGHTLY,
}
EVENT_TIMES = {"timer": START.isoformat(), "eventgrid": "2023-04-07T11:51:10Z", "smn": "2018-01-09T07:11:40Z"}


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.mark.parametrize("trigger", EVENTS)
def test_every_trigger_can_send_a_request(platform: Platform, trigger: str) -> None:
    """An audit with findings succeeds."""
    report = platform.deliver(EVENTS[trigger])

    assert (report["status"], report["trigger"]) == ("SUCCEEDED", trigger)
    (audit,) = report["audits"]
    assert (audit["verdict"], audit["notified"], audit["totals"]["fine"]) == ("findings", True, 1)
    assert platform.published() == [("audited", "findings"), *MISSED]


def test_a_report_is_published_even_if_all_is_well() -> None:
    """Silence never means success."""
    platform = Platform(instances=2, good=2)

    report = platform.deliver(timer_event())

    assert report["audits"][0]["verdict"] == "all_well"
    assert platform.published() == [("audited", "all_well")]


def test_the_greatest_age_of_drills_is_a_setting() -> None:
    """It is six hours by default, as for drill_backups."""
    drill = Instance("copy", f"drill-20261123T230000Z-{9:032x}")
    for settings, leaked in (({}, 0), ({"DRILL_MAX_AGE": "3h"}, 1)):
        platform = Platform(instances=1, good=1, **settings)
        platform.instances.known.append(drill)

        report = platform.deliver(timer_event())

        assert report["audits"][0]["totals"]["leaked_drills"] == leaked


def test_a_fence_hides_no_leaked_drill() -> None:
    """The id of a drill's instance is new, so no pattern of the operator names it."""
    platform = Platform(instances=2, good=1, ALLOWED_INSTANCES=A)
    platform.instances.known.append(Instance("copy", f"drill-20261101T000000Z-{9:032x}"))

    report = platform.deliver(timer_event())

    assert platform.published() == [("audited", "findings"), ("leaked", "copy")]
    assert report["audits"][0]["totals"]["missed"] == 0


@pytest.mark.parametrize(("hours", "verdict"), [(23, "all_well"), (24, "findings")])
def test_the_time_of_an_audit_is_that_of_the_timer_event(hours: float, verdict: str) -> None:
    """It may be delivered up to a day late."""
    platform = Platform(instances=1, good=1)
    platform.clock.sleep((hours + 23) * 3600)

    assert platform.deliver(timer_event(hours=hours))["audits"][0]["verdict"] == verdict


@pytest.mark.parametrize(
    ("trigger", "time"),
    [
        (trigger, time)
        for trigger in ("timer", "eventgrid", "smn")
        for time in ("2023-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2026-12-24T00:00:00Z")
        if (trigger, time[:4]) != ("timer", "0001")  # an impossible time of a timer is rejected
    ],
)
def test_a_wrong_event_time_does_not_make_all_well(trigger: str, time: str) -> None:
    """Long ago, every instance was new and every backup was still to come. The clock counts."""
    platform = Platform(instances=1, good=1)
    platform.clock.sleep(100 * 86400)
    event = json.loads(json.dumps(EVENTS[trigger]).replace(EVENT_TIMES[trigger], time))
    assert time in json.dumps(event)

    (audit,) = platform.deliver(event)["audits"]

    assert (audit["verdict"], audit["totals"]["missed"]) == ("findings", 1)
    assert audit["audited_at"].startswith("2027-03-04T03:00:00")


def test_only_a_timer_says_when_an_audit_was_due() -> None:
    """The sender of any other event could choose a time at which all was well."""
    platform = Platform(instances=1, good=1)
    platform.clock.sleep(23.5 * 3600)
    event = doc.eventgrid(NIGHTLY)
    event["time"] = START.isoformat()

    assert platform.deliver(event)["audits"][0]["verdict"] == "findings"
    assert platform.deliver(timer_event())["audits"][0]["verdict"] == "all_well"


def test_the_time_of_a_timer_event_is_never_ahead_of_the_clock() -> None:
    """Otherwise every backup would be too old."""
    platform = Platform(instances=1, good=1)

    assert platform.deliver(timer_event(hours=23.9))["audits"][0]["verdict"] == "all_well"


@pytest.mark.parametrize("text", ["", "  ", "{}", '{"policies": []}'])
def test_a_request_without_policies_reports_what_needs_none(text: str) -> None:
    """It finds tagged instances, failed and stuck backups, and backups of deleted instances."""
    platform = Platform(instances=1, good=0)
    platform.instances.known = [Instance(A, "orders", tags={"backup": ""})]
    platform.dds.add("gone", "old")
    platform.dds.add(A, "failed", OURS, "FAILED")
    platform.dds.add(A, "building", OURS, "BUILDING")

    platform.clock.sleep(7 * 3600)
    (audit,) = platform.deliver(timer_event(text, hours=7))["audits"]

    assert {name for name, total in audit["totals"].items() if total} == {
        "instances",
        "uncovered",
        "failed_backups",
        "stuck_backups",
        "deleted_instances",
        "deleted_instances_backups",
    }
    assert platform.published() == [("audited", "findings"), ("uncovered", A)]


def test_the_settings_reach_the_audit() -> None:
    """They name the tag, and say how long a backup may take and how many findings are published one by one."""
    platform = Platform(instances=1, good=1, STUCK_AFTER="90m", BACKUP_TAG="dr", MAX_FINDINGS_PUBLISHED="0")
    platform.instances.known = [Instance(A, "orders", tags={"dr": "gold"})]
    platform.dds.add(A, "building", OURS)

    platform.clock.sleep(1.6 * 3600)
    (audit,) = platform.deliver(timer_event("", hours=1.6))["audits"]

    assert (audit["totals"]["uncovered"], audit["totals"]["stuck_backups"]) == (1, 1)
    assert audit["findings_published"] is False


@pytest.mark.parametrize(
    ("name", "value"),
    [("STUCK_AFTER", "0s"), ("STUCK_AFTER", "long"), ("BACKUP_TAG", "t" * 37), ("MAX_FINDINGS_PUBLISHED", "-1")],
)
def test_wrong_settings_are_named(platform: Platform, name: str, value: str) -> None:
    """The function does not start."""
    platform.context.user_data[name] = value

    with pytest.raises(SettingsError, match=name):
        platform.function.start(platform.context)


# Redelivery.


def test_a_redelivery_publishes_the_same_ids_and_the_next_night_other_ones(platform: Platform) -> None:
    """The next night the third instance is missed too."""
    platform.deliver(timer_event())
    platform.deliver(timer_event())
    platform.clock.sleep(24 * 3600)
    platform.deliver(timer_event(hours=24))

    ids = [event["id"] for event in platform.events()]
    assert ids[:3] == ids[3:6]
    assert len(set(ids)) == 7


@pytest.mark.parametrize("error", [TransientError("x"), ThrottledError("x", retry_after=1000)])
def test_an_audit_that_a_redelivery_can_do_is_raised(platform: Platform, error: CloudError) -> None:
    """The redelivery publishes the findings."""
    platform.dds.list_faults = [error] * 20

    with pytest.raises(UnfinishedEventError, match=rf"left for a redelivery: audit \({error.code}\)"):
        platform.deliver(timer_event())

    assert platform.published() == [("audited", "failed")]
    platform.dds.list_faults.clear()
    platform.clock.sleep(1000)
    platform.deliver(timer_event())
    assert platform.published() == [("audited", "failed"), ("audited", "findings"), *MISSED]
    assert len({event["id"] for event in platform.events()}) == 4


def test_a_denied_audit_is_published_and_not_raised(platform: Platform) -> None:
    """A redelivery does not help; somebody has to correct the agency."""
    platform.dds.list_faults = [DeniedError("no", cloud_code="DBS.280408", status=403)]

    report = platform.deliver(timer_event())

    assert report["status"] == "FAILED"
    assert platform.published() == [("audited", "failed")]
    assert report["audits"][0]["cloud_code"] == "DBS.280408"


def test_a_denied_audit_is_raised_if_it_cannot_be_published(platform: Platform) -> None:
    """FunctionGraph then notifies the failure destination."""
    platform.dds.list_faults = [DeniedError("no")]
    platform.topic.faults = [AmbiguousError("x")] * 10

    with pytest.raises(UnfinishedEventError, match=r"audit \(denied\)"):
        platform.deliver(timer_event())


def test_a_finding_that_cannot_be_published_is_raised(platform: Platform) -> None:
    """The redelivery publishes it under the same id."""
    platform.topic.faults = [None, DeniedError("x")]
    with pytest.raises(UnfinishedEventError, match=r"audit \(not_notified\)"):
        platform.deliver(timer_event())

    assert platform.deliver(timer_event())["status"] == "SUCCEEDED"

    assert set(platform.published()) == {("audited", "findings"), *MISSED}
    assert len({event["id"] for event in platform.events()}) == 3


def test_an_invalid_request_is_rejected_on_the_topic(platform: Platform) -> None:
    """The rejection lists all errors. The valid message next to it is audited."""
    wrong = '{"policies": [{"name": "n", "select": {"name": "*"}, "interval": "1d"}]}'

    report = platform.deliver(doc.smn(doc.smn_record(wrong, "m1"), doc.smn_record(TEXT, "m2")))

    assert report["status"] == "PARTIALLY_FAILED"
    assert [fault.partition(": ")[0] for fault in report["rejected"][0]["errors"]] == [
        "policies.0.expected_interval",
        "policies.0.interval",
    ]
    assert {event["type"] for event in platform.events()} == {
        "dds.backup.rejected",
        "dds.backup.audited",
        "dds.backup.missed",
    }


def test_a_rejection_that_cannot_be_published_is_raised(platform: Platform) -> None:
    """Otherwise nobody would learn that the timer's policies are invalid."""
    platform.topic.faults = [DeniedError("x")]

    with pytest.raises(UnfinishedEventError, match="user_event rejected"):
        platform.deliver(timer_event('{"policies": 1}'))


def test_a_notification_of_this_application_is_ignored(platform: Platform) -> None:
    """A topic may be connected to the function that publishes to it. No call is made."""
    platform.deliver(timer_event())
    platform.dds.calls.clear()

    report = platform.deliver(doc.smn(doc.smn_record(platform.topic.sent[0].body)))

    assert (report["status"], report["ignored"], report["audits"]) == ("SUCCEEDED", 1, [])
    assert platform.dds.calls == []


FAULTS = st.lists(
    st.sampled_from([None, None, TransientError("x"), ThrottledError("x"), ThrottledError("x", retry_after=400)]),
    max_size=8,
)
PUBLISH_FAULTS = st.lists(
    st.sampled_from([None, None, TransientError("x"), AmbiguousError("x"), DeniedError("x"), Killed()]), max_size=12
)


@given(FAULTS, FAULTS, PUBLISH_FAULTS, st.integers(1, 9), st.integers(0, 9), st.integers(0, 2))
def test_every_finding_is_published_and_nothing_else(
    instance_faults: list[Any],
    backup_faults: list[Any],
    publish_faults: list[Any],
    instances: int,
    good: int,
    redeliveries: int,
) -> None:
    """Any call fails, the process is killed at any publish, and the event is delivered again even after a success."""
    platform = Platform(instances, good)
    platform.instances.faults = [fault for fault in instance_faults if fault]
    platform.dds.list_faults = backup_faults
    platform.topic.faults = publish_faults

    def deliver() -> bool:
        try:
            return bool(platform.deliver(timer_event()))
        except UnfinishedEventError:
            return False
        except Killed:
            platform.start_instance()
            return False

    while not deliver():
        platform.clock.sleep(60)
    for _ in range(redeliveries):
        deliver()

    expected = {("missed", one) for one in INSTANCES[good:instances]}
    verdict = "findings" if expected else "all_well"
    assert set(platform.published()) - {("audited", "failed")} == {("audited", verdict), *expected}
    ids: dict[object, set[str]] = {}
    for event in platform.events():
        ids.setdefault((event["type"], event["subject"], event["data"].get("verdict")), set()).add(event["id"])
    assert all(len(found) == 1 for found in ids.values())
    assert len(set.union(*ids.values())) == len(ids)


# Synchronous calls, and the log.


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
def test_the_http_status_says_whether_the_audit_was_done(
    platform: Platform, body: str, fault: CloudError | None, status: int
) -> None:
    """It is 200 for any verdict."""
    platform.dds.list_faults = [fault] * 20

    answer = platform.deliver(doc.apig(body))

    assert answer["statusCode"] == status
    if status == 200:
        assert json.loads(answer["body"])["audits"][0]["verdict"] in {"findings", "all_well"}


def test_a_synchronous_caller_learns_what_was_not_published(platform: Platform) -> None:
    """The invocation raises nothing."""
    platform.topic.faults = [None, InvalidError("x"), InvalidError("x")]

    report = platform.deliver(NIGHTLY)

    assert (report["status"], report["audits"][0]["unpublished_findings"]) == ("FAILED", 1)


def test_an_invocation_logs_its_findings_and_one_summary(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    """The summary has the totals."""
    platform.deliver(timer_event())

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("WARNING", "backup missed"),
        ("WARNING", "backup missed"),
        ("INFO", "audits"),
        ("INFO", "invocation"),
    ]
    assert (lines[0]["instance_id"], lines[0]["policy"]) == (INSTANCES[1], "nightly")
    (audit,) = lines[2]["audits"]
    assert (audit["verdict"], audit["covered"], audit["missed"]) == ("findings", 3, 2)


def test_an_audit_that_could_not_be_done_is_logged_with_the_code_of_dds(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is an error."""
    platform.instances.faults = [DeniedError("no", cloud_code="DBS.280408")]

    platform.deliver(timer_event())

    line = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (line["level"], line["message"], line["cloud_code"]) == ("ERROR", "audit failed", "DBS.280408")
