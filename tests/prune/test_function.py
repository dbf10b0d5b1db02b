"""The whole function prune_backups on fakes: what it returns, raises, publishes and logs."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cli.paths import CHECKOUT
from shared.bootstrap import prune_backups
from shared.errors import (
    AmbiguousError,
    BusyError,
    CloudError,
    DeniedError,
    SettingsError,
    TransientError,
    UnfinishedEventError,
)
from tests.fakes import START, FakeClock, FakeCloud, FakeContext, FakeDds, FakeTopic, Steady, fake_connect
from tests.prune.backups import make_backup, nightly
from tests.triggers import documented as doc


URN = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"


class Platform:
    """FunctionGraph with prune_backups on fakes: an instance has ten nightly backups, and the rules keep six."""

    def __init__(self, nights: int = 10, **settings: str) -> None:
        self.clock = FakeClock()
        self.dds = FakeDds(self.clock, backups=nightly(nights))
        self.topic = FakeTopic()
        self.context = FakeContext(
            {"NOTIFY_TOPIC_URN": URN, "RETENTION": "daily=6", "DRY_RUN": "false", "MAX_CONCURRENCY": "1", **settings}
        )
        self.function = prune_backups(
            connect=fake_connect(FakeCloud(self.dds, self.topic)), clock=self.clock, rng=Steady(), environment={}
        )

    def deliver(self, event: object) -> Any:
        """Deliver an event once."""
        return self.function.handle(event, self.context)

    def run(self, event: object) -> Any:
        """Deliver an event with one request. Returns its run."""
        (run,) = self.deliver(event)["runs"]
        return run

    @property
    def deletes(self) -> int:
        """How many calls delete a backup."""
        return self.dds.calls.count("delete")

    def published(self) -> list[dict[str, Any]]:
        """The CloudEvents on the topic."""
        return [json.loads(notification.body) for notification in self.topic.sent]


def timer_event(request: str = "", **changes: object) -> dict[str, Any]:
    """A timer event that is due at the start of the fake clock."""
    return doc.timer(request, time=START.isoformat(), **changes)


@pytest.fixture
def platform() -> Platform:
    return Platform()


def test_a_timer_event_prunes_and_publishes_one_report(platform: Platform) -> None:
    """The event on the topic has the facts of the response."""
    report = platform.deliver(timer_event())

    assert (report["status"], report["trigger"]) == ("SUCCEEDED", "timer")
    (run,) = report["runs"]
    assert (run["outcome"], run["totals"]["kept"], run["totals"]["deleted"]) == ("PRUNED", 6, 4)
    assert len(platform.dds.backups) == 6
    (event,) = platform.published()
    assert event["type"] == "dds.backup.pruned"
    assert event["data"]["totals"] == run["totals"]
    assert platform.topic.sent[0].attributes == {
        "event_type": "dds_backup_pruned",
        "outcome": "PRUNED",
        "severity": "info",
    }


def test_without_settings_the_function_only_reports() -> None:
    """DRY_RUN is on by default, and the default rules keep daily, weekly and monthly backups."""
    platform = Platform(60)
    platform.context.user_data = {"NOTIFY_TOPIC_URN": URN}

    run = platform.run(timer_event())

    assert (run["outcome"], run["retention"], run["time_zone"]) == (
        "DRY_RUN",
        "last=3 daily=7 weekly=4 monthly=12",
        "UTC",
    )
    assert platform.deletes == 0
    assert platform.topic.sent[0].email.splitlines()[2].startswith("This was a dry run: nothing was deleted.")


EVENTS: dict[str, Callable[[str], object]] = {
    "timer": timer_event,
    "smn": lambda text: doc.smn(doc.smn_record(text)),
    "kafka": doc.kafka,
    "rabbitmq": doc.rabbitmq,
    "rocketmq": doc.rocketmq,
    "eventgrid": lambda text: doc.eventgrid(json.loads(text)),
    "direct": json.loads,
}


@pytest.mark.parametrize("trigger", EVENTS)
def test_every_trigger_can_send_a_request(platform: Platform, trigger: str) -> None:
    """The documented samples are older than the backups, so most of them find no backup to judge."""
    report = platform.deliver(EVENTS[trigger]('{"force": false}'))

    assert (report["status"], report["trigger"]) == ("SUCCEEDED", trigger)
    assert report["runs"][0]["totals"]["instances"] == 1


@pytest.mark.parametrize("user_event", ["", "  \n", "{}"])
def test_an_empty_user_event_prunes_by_the_settings(platform: Platform, user_event: str) -> None:
    """A timer needs no user event."""
    assert platform.run(timer_event(user_event))["totals"]["deleted"] == 4


@pytest.mark.parametrize("sample", ["timer", "direct"])
def test_the_sample_events_are_accepted(platform: Platform, sample: str) -> None:
    """`ddsbackup invoke prune_backups -e events/...` sends them."""
    event = json.loads((CHECKOUT / "events" / f"prune_backups-{sample}.json").read_text(encoding="utf-8"))

    report = platform.deliver(event)

    assert (report["status"], report["trigger"]) == ("SUCCEEDED", sample)
    assert platform.deletes == 0


def test_the_settings_reach_the_run() -> None:
    """The time zone and the limit of deletions are those of the settings."""
    platform = Platform(30, RETENTION="daily=20", RETENTION_TIME_ZONE="Europe/Berlin", MAX_DELETES="4")

    run = platform.run(timer_event())

    assert (run["retention"], run["time_zone"]) == ("daily=20", "Europe/Berlin")
    assert (run["totals"]["deleted"], run["totals"]["postponed"]) == (4, 6)
    assert "6 left for later" in platform.topic.sent[0].subject


def test_the_requests_of_one_event_share_the_limit_of_deletions() -> None:
    """Each request in a batch has its own report."""
    platform = Platform(30, RETENTION="daily=20", MAX_DELETES="4")

    requests = [json.dumps({"idempotency_key": key}) for key in "abc"]
    report = platform.deliver(doc.kafka(*requests) | {"event_time": int(START.timestamp())})

    assert [run["totals"]["deleted"] for run in report["runs"]] == [4, 0, 0]
    assert len({event["id"] for event in platform.published()}) == 3


def test_equal_requests_of_one_event_are_one_run() -> None:
    """A flood of empty messages costs one list of backups and one report."""
    platform = Platform(30, RETENTION="daily=20")

    report = platform.deliver(doc.kafka("", "{}", *["{}"] * 100) | {"event_time": int(START.timestamp())})

    assert (len(report["runs"]), report["ignored"]) == (1, 101)
    assert len(platform.published()) == 1


def test_wrong_settings_are_all_named() -> None:
    """The function does not start, so it makes no call."""
    platform = Platform(
        RETENTION="daily=30 weekly=1 dayly=1", RETENTION_TIME_ZONE="Berlin", MAX_DELETES="0", DRY_RUN="no!"
    )

    with pytest.raises(SettingsError) as caught:
        platform.function.start(platform.context)

    for part in (
        "RETENTION: dayly",
        "weekly=1 reaches less far",
        "RETENTION_TIME_ZONE: must be",
        "MAX_DELETES",
        "DRY_RUN",
    ):
        assert part in str(caught.value)


def test_a_time_in_the_future_makes_no_backup_older(platform: Platform) -> None:
    """The clock limits the time of a hand-written event."""
    platform.context.user_data["RETENTION"] = "max_age=300d"

    run = platform.run(doc.timer("", time=(START + timedelta(days=3650)).isoformat()))

    assert run["totals"]["deleted"] == 0
    assert run["time"] == "2026-11-24T03:00:00Z"


# Redelivery.


@pytest.mark.parametrize("error", [BusyError("x"), TransientError("x"), AmbiguousError("x")])
def test_a_run_that_a_redelivery_can_finish_is_raised(platform: Platform, error: CloudError) -> None:
    """The redelivery finishes it."""
    platform.dds.delete_faults = [None, *[error] * 100]

    with pytest.raises(UnfinishedEventError, match=rf"1 deleted, 6 kept, 3 not yet deleted \({error.code}\)"):
        platform.deliver(timer_event())

    assert platform.published()[0]["data"]["totals"]["left"] == 3
    platform.dds.delete_faults = []
    assert platform.run(timer_event())["totals"]["deleted"] == 3


def test_a_list_that_cannot_be_read_is_raised(platform: Platform) -> None:
    """The report says that nothing was deleted."""
    platform.dds.list_faults = [TransientError("x")] * 50

    with pytest.raises(UnfinishedEventError, match=r"could not be listed \(unavailable\)"):
        platform.deliver(timer_event())

    assert platform.deletes == 0
    assert platform.published()[0]["data"]["failure"]["code"] == "unavailable"


@pytest.mark.parametrize("denied", ["list", "delete"])
def test_a_final_failure_is_published_and_not_raised(platform: Platform, denied: str) -> None:
    """A redelivery does not help; somebody has to correct the agency."""
    faults = platform.dds.list_faults if denied == "list" else platform.dds.delete_faults
    faults.append(DeniedError("not allowed"))

    report = platform.deliver(timer_event())

    assert report["status"] == ("FAILED" if denied == "list" else "PARTIALLY_FAILED")
    assert "not allowed" in platform.topic.sent[0].email


def test_a_run_that_is_held_back_is_published_and_not_raised() -> None:
    """A redelivery would be held back too."""
    platform = Platform(13)

    report = platform.deliver(timer_event())

    assert (report["status"], report["runs"][0]["outcome"], platform.deletes) == ("FAILED", "HELD_BACK", 0)
    assert "7 held back" in platform.topic.sent[0].subject
    assert platform.run({"force": True})["totals"]["deleted"] == 7


def test_a_report_that_cannot_be_published_is_raised(platform: Platform) -> None:
    """The redelivery publishes it and deletes nothing more."""
    platform.topic.faults = [TransientError("x")] * 10

    with pytest.raises(UnfinishedEventError, match="4 deleted, 6 kept"):
        platform.deliver(timer_event())

    platform.topic.faults = []
    totals = platform.run(timer_event())["totals"]
    assert (totals["deleted"], totals["kept"]) == (0, 6)
    assert len(platform.published()) == 1


def test_a_redelivery_publishes_the_report_under_the_same_id(platform: Platform) -> None:
    """A backup made since then does not change the plan. Another timer's report has another id."""
    platform.deliver(timer_event())
    platform.clock.sleep(3600)
    platform.dds.backups.append(make_backup(START + timedelta(minutes=30)))

    run = platform.run(timer_event())

    assert run["totals"]["deleted"] == 0
    platform.deliver(timer_event(trigger_name="Another"))
    first, second, other = (event["id"] for event in platform.published())
    assert first == second != other


def test_an_unfinished_report_does_not_hide_the_finished_one(platform: Platform) -> None:
    """Consumers drop events whose id they have seen."""
    platform.dds.delete_faults = [BusyError("x")] * 100
    for _ in range(2):
        with pytest.raises(UnfinishedEventError):
            platform.deliver(timer_event())
    platform.dds.delete_faults = []
    platform.deliver(timer_event())

    first, second, third = (event["id"] for event in platform.published())
    assert first == second != third


def test_an_invalid_request_is_rejected_on_the_topic(platform: Platform) -> None:
    """It makes no call to DDS."""
    report = platform.deliver(timer_event('{"retention": "dayly=7", "instance_ids": [], "forse": true}'))

    (rejected,) = report["rejected"]
    assert len(rejected["errors"]) == 3
    assert platform.dds.calls == []
    assert [event["type"] for event in platform.published()] == ["dds.backup.rejected"]


def test_a_notification_of_this_application_is_ignored(platform: Platform) -> None:
    """A topic may be connected to the function that publishes to it."""
    platform.deliver(timer_event())

    report = platform.deliver(doc.smn(doc.smn_record(platform.topic.sent[0].body)))

    assert (report["status"], report["ignored"], report["runs"]) == ("SUCCEEDED", 1, [])


# Synchronous calls, and the log.


@pytest.mark.parametrize(
    ("nights", "body", "list_fault", "delete_faults", "status"),
    [
        (10, "{}", None, [], 202),
        (10, '{"dry_run": true}', None, [], 202),
        (10, '{"force": "perhaps"}', None, [], 400),
        (13, "{}", None, [], 409),
        (13, '{"dry_run": true}', None, [], 202),
        (10, "{}", DeniedError("x"), [], 403),
        (10, "{}", None, [DeniedError("x")], 207),
        (10, "{}", None, [DeniedError("x")] * 4, 403),
        (10, "{}", None, [BusyError("x")] * 100, 409),
        (10, "{}", None, [AmbiguousError("x")] * 100, 502),
    ],
    ids=range(10),
)
def test_the_http_status_follows_from_the_outcome(
    nights: int, body: str, list_fault: CloudError | None, delete_faults: list[Any], status: int
) -> None:
    """A run that needs force is a conflict, 409."""
    platform = Platform(nights)
    platform.dds.list_faults, platform.dds.delete_faults = [list_fault], delete_faults

    assert platform.deliver(doc.apig(body))["statusCode"] == status


def test_a_synchronous_caller_learns_that_the_report_was_not_published(platform: Platform) -> None:
    """The response shows the deletions."""
    platform.topic.faults = [TransientError("x")] * 10

    answer = platform.deliver(doc.apig("{}"))

    assert answer["statusCode"] == 502
    (run,) = json.loads(answer["body"])["runs"]
    assert (run["totals"]["deleted"], run["notified"]) == (4, False)


def test_an_invocation_logs_its_problems_and_one_summary(capsys: pytest.CaptureFixture[str]) -> None:
    """The summary has the totals and the ids of the deleted backups."""
    platform = Platform()
    platform.dds.backups += nightly(13, instance="i-2")
    platform.dds.delete_faults = [DeniedError("x", cloud_code="DBS.280032")]

    platform.deliver({"instance_ids": ["i-1", "i-2", "i-3"]})

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("ERROR", "backup FAILED"),
        ("WARNING", "backups held back"),
        ("WARNING", "odd request"),
        ("INFO", "runs"),
        ("INFO", "deleted"),
        ("INFO", "invocation"),
    ]
    assert lines[0]["failure"]["cloud_code"] == "DBS.280032"
    (run,) = lines[3]["runs"]
    assert len(lines[4]["deleted"]) == 3
    assert run["totals"]["held_back"] == 7
