"""The whole function prune_backups on fakes: what it deletes, returns, raises, publishes and logs."""

import contextlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.bootstrap import prune_backups
from shared.errors import (
    AmbiguousError,
    BusyError,
    CloudError,
    DeniedError,
    SettingsError,
    ThrottledError,
    TransientError,
    UnfinishedEventError,
)
from tests.fakes import START, FakeClock, FakeCloud, FakeContext, FakeDds, FakeTopic, Steady, fake_connect
from tests.prune.made import made, nightly
from tests.triggers import documented as doc


URN = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"
ROOT = Path(__file__).parent.parent.parent
SCHEMA = ROOT / "docs" / "events" / "dds.backup.pruned.schema.json"
EVENTS_FOLDER = ROOT / "events"


class Killed(BaseException):
    """The platform ends the process."""


def kill() -> None:
    """In the middle of a call."""
    raise Killed


class Platform:
    """FunctionGraph with prune_backups on fakes: an instance with ten nights of backups, of which six are kept."""

    def __init__(self, nights: int = 10, **settings: str) -> None:
        self.clock = FakeClock()
        self.dds = FakeDds(self.clock, backups=nightly(nights, until=START))
        self.topic = FakeTopic()
        self.context = FakeContext(
            {"NOTIFY_TOPIC_URN": URN, "RETENTION": "daily=6", "DRY_RUN": "false", "MAX_CONCURRENCY": "1", **settings}
        )
        self.function = prune_backups(
            connect=fake_connect(FakeCloud(self.dds, self.topic)), clock=self.clock, rng=Steady(), environment={}
        )

    def deliver(self, event: object) -> Any:
        """One delivery of an event."""
        return self.function.handle(event, self.context)

    def run(self, event: object) -> Any:
        """The only run of a delivery."""
        (run,) = self.deliver(event)["runs"]
        return run

    @property
    def deletes(self) -> int:
        """The calls that delete."""
        return self.dds.calls.count("delete")

    def events(self) -> list[dict[str, Any]]:
        """What was published."""
        return [json.loads(notification.body) for notification in self.topic.sent]


def tick(request: str = "", **changes: object) -> dict[str, Any]:
    """A tick of the timer at the fake clock's beginning."""
    return doc.timer(request, time=START.isoformat(), **changes)


@pytest.fixture
def platform() -> Platform:
    return Platform()


def test_what_no_rule_keeps_is_deleted(platform: Platform) -> None:
    """One list, one call for each, one report."""
    report = platform.deliver(tick())

    assert (report["status"], report["trigger"]) == ("SUCCEEDED", "timer")
    (run,) = report["runs"]
    assert run["outcome"] == "PRUNED"
    assert (run["totals"]["kept"], run["totals"]["deleted"]) == (6, 4)
    assert len(platform.dds.backups) == 6
    assert platform.dds.calls == ["list"] + ["delete"] * 4
    (event,) = platform.events()
    assert event["type"] == "dds.backup.pruned"
    assert event["data"]["totals"] == run["totals"]
    assert platform.topic.sent[0].attributes == {"event_type": "dds_backup_pruned", "outcome": "PRUNED"}


def test_nothing_is_deleted_unless_the_settings_say_so() -> None:
    """DRY_RUN is the default: the report says what would be deleted."""
    platform = Platform()
    del platform.context.user_data["DRY_RUN"]

    run = platform.run(tick())

    assert (run["outcome"], run["totals"]["would_be_deleted"]) == ("DRY_RUN", 4)
    assert "warnings" not in run
    assert platform.deletes == 0
    assert platform.topic.sent[0].email.splitlines()[2].startswith("This was a dry run: nothing was deleted.")


def test_the_defaults_are_sane() -> None:
    """With nothing but the topic."""
    platform = Platform(60)
    platform.context.user_data = {"NOTIFY_TOPIC_URN": URN}

    run = platform.run(tick())

    assert (run["dry_run"], run["retention"], run["time_zone"]) == (True, "last=3 daily=7 weekly=4 monthly=12", "UTC")


EVENTS: dict[str, Callable[[str], object]] = {
    "timer": tick,
    "smn": lambda text: doc.smn(doc.smn_record(text)),
    "kafka": doc.kafka,
    "rabbitmq": doc.rabbitmq,
    "rocketmq": doc.rocketmq,
    "eventgrid": lambda text: doc.eventgrid(json.loads(text)),
    "direct": json.loads,
}


@pytest.mark.parametrize("trigger", EVENTS)
def test_each_trigger_prunes(platform: Platform, trigger: str) -> None:
    """An event that was sent before the backups began (the samples are of 2018 to 2024) finds none to judge."""
    report = platform.deliver(EVENTS[trigger]('{"force": false}'))

    assert (report["status"], report["trigger"]) == ("SUCCEEDED", trigger)
    assert report["runs"][0]["totals"]["instances"] == 1


@pytest.mark.parametrize("user_event", ["", "  \n", "{}"])
def test_an_empty_user_event_means_everything(platform: Platform, user_event: str) -> None:
    """Nothing has to be configured."""
    assert platform.run(tick(user_event))["totals"]["deleted"] == 4


@pytest.mark.parametrize("sample", ["timer", "direct"])
def test_the_samples_are_events(platform: Platform, sample: str) -> None:
    """As `ddsbackup invoke prune_backups -e events/...` sends them."""
    event = json.loads((EVENTS_FOLDER / f"prune_backups-{sample}.json").read_text(encoding="utf-8"))

    report = platform.deliver(event)

    assert (report["status"], report["trigger"]) == ("SUCCEEDED", sample)
    assert platform.deletes == 0


@pytest.mark.parametrize("setting", ["true", "false"])
def test_a_request_can_make_a_run_drier(setting: str) -> None:
    """Whatever the settings say."""
    platform = Platform(DRY_RUN=setting)

    assert platform.run({"dry_run": True})["outcome"] == "DRY_RUN"
    assert platform.deletes == 0


def test_a_request_cannot_make_a_run_less_dry() -> None:
    """DRY_RUN in the settings wins, and the answer says so."""
    platform = Platform(DRY_RUN="true")

    run = platform.run({"dry_run": False})

    assert (run["outcome"], platform.deletes) == ("DRY_RUN", 0)
    assert run["warnings"] == ["dry_run: false has no effect, since DRY_RUN is on in the function's settings"]


def test_a_requests_own_retention_is_only_tried(platform: Platform) -> None:
    """Whoever can send a message to the function cannot have more deleted than its settings say."""
    run = platform.run({"retention": "last=9", "dry_run": False})

    assert (run["outcome"], run["retention"], run["totals"]["would_be_deleted"]) == ("DRY_RUN", "last=9", 1)
    assert platform.deletes == 0
    assert "only tried" in run["warnings"][0]


def test_only_the_instances_named(platform: Platform) -> None:
    """And one that has no backups is said."""
    platform.dds.backups += nightly(10, until=START, instance="i-2")

    run = platform.run({"instance_ids": ["i-2", "i-3"]})

    assert run["totals"]["deleted"] == 4
    assert {backup.instance_id for backup in platform.dds.backups if backup.begin_time} == {"i-1", "i-2"}
    assert sum(backup.instance_id == "i-1" for backup in platform.dds.backups) == 10
    assert run["warnings"] == ["there is no backup of this application of the instances i-3"]


def test_a_project_without_backups_of_this_application_is_said(platform: Platform) -> None:
    """Never silently fine."""
    platform.dds.backups = [made(START - timedelta(days=900), description="by hand")]

    assert platform.run(tick())["warnings"][0].startswith("there is no backup of this application")


def test_more_than_half_goes_only_with_force() -> None:
    """Nothing at all is deleted, and everybody is told; not raised, since a redelivery would find the same."""
    platform = Platform(13)

    report = platform.deliver(tick())

    assert (report["status"], report["runs"][0]["outcome"], platform.deletes) == ("FAILED", "HELD_BACK", 0)
    assert "needs_force" not in str(report["runs"][0]["instances"][0]["backups"])
    assert "7 held back" in platform.topic.sent[0].subject
    assert platform.run({"force": True})["totals"]["deleted"] == 7


def test_an_instance_that_is_held_back_costs_the_others_nothing() -> None:
    """The others are pruned."""
    platform = Platform(13)
    for instance in ("i-2", "i-3", "i-4"):
        platform.dds.backups += nightly(8, until=START, instance=instance)

    report = platform.deliver(tick())

    (run,) = report["runs"]
    assert report["status"] == "PARTIALLY_FAILED"
    assert (run["totals"]["held_back"], run["totals"]["deleted"]) == (7, 6)
    assert [i["instance_id"] for i in run["instances"] if i["held_back"]] == ["i-1"]


def test_more_than_half_of_everything_stops_everything() -> None:
    """Each instance loses a few only, but all together lose most; one that loses nothing is not called held back."""
    platform = Platform(4, RETENTION="last=1")
    for number in range(2, 6):
        platform.dds.backups += nightly(4, until=START, instance=f"i-{number}")
    platform.dds.backups += nightly(1, until=START, instance="i-9")

    run = platform.run(tick())

    assert (run["outcome"], run["totals"]["held_back"], platform.deletes) == ("HELD_BACK", 15, 0)
    assert [i["instance_id"] for i in run["instances"] if not i["held_back"]] == ["i-9"]


def test_at_most_max_deletes_a_run() -> None:
    """The oldest first; the rest is left for the next run and said, not raised."""
    platform = Platform(30, RETENTION="daily=20", MAX_DELETES="4")
    expected = platform.dds.backups[:26]

    run = platform.run(tick())

    assert (run["outcome"], run["totals"]["deleted"], run["totals"]["postponed"]) == ("PRUNED", 4, 6)
    assert platform.dds.backups == expected
    assert "6 left for later" in platform.topic.sent[0].subject


def test_what_is_being_deleted_counts_against_max_deletes() -> None:
    """A tick delivered again, after the first delivery was killed, deletes no more than one delivery would have."""
    platform = Platform(30, RETENTION="daily=20", MAX_DELETES="4")
    begun = [made(START - timedelta(days=100 + number), status="DISABLED") for number in range(3)]
    platform.dds.backups += begun

    assert platform.run(tick())["totals"]["deleted"] == 1


def test_the_requests_of_one_event_share_max_deletes() -> None:
    """Ten messages in a batch are no ten runs."""
    platform = Platform(30, RETENTION="daily=20", MAX_DELETES="4")

    report = platform.deliver(doc.kafka("", "{}", "{}") | {"event_time": int(START.timestamp())})

    assert [run["totals"]["deleted"] for run in report["runs"]] == [4, 0, 0]
    assert len({event["id"] for event in platform.events()}) == 3


@pytest.mark.parametrize("error", [TransientError("x"), ThrottledError("x", retry_after=3)])
def test_a_list_that_fails_once_is_read_again(platform: Platform, error: CloudError) -> None:
    """Within the invocation."""
    platform.dds.list_faults = [error]

    assert platform.run(tick())["totals"]["deleted"] == 4


def test_a_list_that_cannot_be_read_deletes_nothing_and_is_raised(platform: Platform) -> None:
    """What is not seen may be what has to stay."""
    platform.dds.list_faults = [TransientError("x")] * 50

    with pytest.raises(UnfinishedEventError, match=r"could not be listed \(unavailable\)"):
        platform.deliver(tick())

    assert platform.deletes == 0
    assert platform.events()[0]["data"]["failure"]["code"] == "unavailable"


def test_a_list_that_is_denied_is_announced_and_not_raised(platform: Platform) -> None:
    """No redelivery helps; somebody has to mend the agency."""
    platform.dds.list_faults = [DeniedError("not allowed")]

    report = platform.deliver(tick())

    assert (report["status"], report["runs"][0]["outcome"]) == ("FAILED", "FAILED")
    assert "not allowed" in platform.topic.sent[0].email


@pytest.mark.parametrize("error", [BusyError("x"), TransientError("x"), AmbiguousError("x")])
def test_what_a_redelivery_can_finish_is_raised(platform: Platform, error: CloudError) -> None:
    """And the redelivery finishes it."""
    platform.dds.delete_faults = [error] * 100

    with pytest.raises(UnfinishedEventError, match=rf"4 not yet deleted \({error.code}\)"):
        platform.deliver(tick())

    platform.dds.delete_faults = []
    assert platform.run(tick())["totals"]["deleted"] == 4


def test_one_backup_that_cannot_be_deleted_costs_the_others_nothing(platform: Platform) -> None:
    """It is reported, and not tried again by a redelivery if that cannot help."""
    platform.dds.delete_faults = [DeniedError("x")]

    report = platform.deliver(tick())

    assert report["status"] == "PARTIALLY_FAILED"
    totals = report["runs"][0]["totals"]
    assert (totals["deleted"], totals["failed"]) == (3, 1)


def test_what_the_deadline_cuts_off_is_raised(platform: Platform) -> None:
    """The report says how far it came; the redelivery goes on."""
    platform.context.remaining = 20
    platform.dds.delete_faults = [None, ThrottledError("x", retry_after=100)]

    with pytest.raises(UnfinishedEventError, match=r"1 deleted, 6 kept, 3 not yet deleted"):
        platform.deliver(tick())

    assert platform.events()[0]["data"]["totals"]["left"] == 3
    assert platform.run(tick())["totals"]["deleted"] == 3


@pytest.mark.parametrize("call", range(4))
def test_killed_at_any_delete_and_delivered_again_the_result_is_the_same(platform: Platform, call: int) -> None:
    """The plan depends only on what exists."""
    platform.dds.delete_faults = [*[None] * call, *[kill] * 4]

    with pytest.raises(Killed):
        platform.deliver(tick())
    platform.dds.delete_faults = []
    run = platform.run(tick())

    assert run["totals"]["deleted"] == 4 - call
    assert len(platform.dds.backups) == 6


def test_a_tick_delivered_again_is_the_same_report(platform: Platform) -> None:
    """The same id, and nothing more is deleted."""
    platform.deliver(tick())
    platform.clock.sleep(3600)
    platform.dds.backups.append(made(START + timedelta(minutes=30)))

    run = platform.run(tick())

    assert run["totals"]["deleted"] == 0
    first, second = platform.events()
    assert first["id"] == second["id"]
    platform.deliver(tick(trigger_name="Another"))
    assert platform.events()[2]["id"] != first["id"]


def test_an_unfinished_report_does_not_hide_the_finished_one(platform: Platform) -> None:
    """Consumers drop what has an id that they have seen."""
    platform.dds.delete_faults = [BusyError("x")] * 100
    for _ in range(2):
        with pytest.raises(UnfinishedEventError):
            platform.deliver(tick())
    platform.dds.delete_faults = []
    platform.deliver(tick())

    first, second, third = (event["id"] for event in platform.events())
    assert first == second != third


def test_a_time_in_the_future_makes_no_backup_older(platform: Platform) -> None:
    """A slip in a hand-written event: the clock is the limit."""
    platform.context.user_data["RETENTION"] = "max_age=300d"

    run = platform.run(doc.timer("", time=(START + timedelta(days=3650)).isoformat()))

    assert run["totals"]["deleted"] == 0
    assert run["time"] == "2026-11-24T03:00:00Z"


def test_a_report_that_cannot_be_published_is_raised(platform: Platform) -> None:
    """Else nobody would hear of it; the redelivery tells, and deletes nothing more."""
    platform.topic.faults = [TransientError("x")] * 10

    with pytest.raises(UnfinishedEventError, match="4 deleted, 6 kept"):
        platform.deliver(tick())

    platform.topic.faults = []
    assert platform.run(tick())["totals"] | {"kept": 6, "deleted": 0} == platform.run(tick())["totals"]
    assert len(platform.dds.backups) == 6


def test_an_invalid_request_is_announced_and_deletes_nothing(platform: Platform) -> None:
    """All that is wrong, at once."""
    report = platform.deliver(tick('{"retention": "dayly=7", "instance_ids": [], "forse": true}'))

    (rejected,) = report["rejected"]
    assert len(rejected["errors"]) == 3
    assert platform.dds.calls == []
    assert [event["type"] for event in platform.events()] == ["dds.backup.rejected"]


def test_our_own_announcement_does_nothing(platform: Platform) -> None:
    """A topic wired in a circle."""
    platform.deliver(tick())

    report = platform.deliver(doc.smn(doc.smn_record(platform.topic.sent[0].body)))

    assert (report["status"], report["ignored"], report["runs"]) == ("SUCCEEDED", 1, [])


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
def test_the_http_status_is_what_the_outcome_deserves(
    nights: int, body: str, list_fault: CloudError | None, delete_faults: list[Any], status: int
) -> None:
    """409 also for what needs force."""
    platform = Platform(nights)
    platform.dds.list_faults, platform.dds.delete_faults = [list_fault], delete_faults

    assert platform.deliver(doc.apig(body))["statusCode"] == status


def test_a_caller_is_told_that_nobody_else_was(platform: Platform) -> None:
    """The backups are deleted, but the report did not reach the topic."""
    platform.topic.faults = [TransientError("x")] * 10

    answer = platform.deliver(doc.apig("{}"))

    assert answer["statusCode"] == 502
    (run,) = json.loads(answer["body"])["runs"]
    assert (run["totals"]["deleted"], run["notified"]) == (4, False)


def test_wrong_settings_are_all_named() -> None:
    """Before anything is called."""
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


def test_days_are_those_of_the_time_zone() -> None:
    """RETENTION_TIME_ZONE reaches the plan."""
    platform = Platform(0, RETENTION="daily=5", RETENTION_TIME_ZONE="Europe/Berlin")
    platform.dds.backups = [made(START.replace(month=7, day=1, hour=hour, minute=30)) for hour in (20, 21, 22)]

    run = platform.run(tick())

    assert (run["time_zone"], run["totals"]["kept"]) == ("Europe/Berlin", 2)


def test_what_is_wrong_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Errors for what is final, warnings for the rest, one line for the invocation with the ids that were deleted."""
    platform = Platform()
    platform.dds.backups += nightly(13, until=START, instance="i-2")
    platform.dds.delete_faults = [DeniedError("x")]

    platform.deliver({"dry_run": False, "instance_ids": ["i-1", "i-2", "i-3"]})

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {(line["level"], line["message"]) for line in lines}
    assert {
        ("ERROR", "backup FAILED"),
        ("WARNING", "backups held back"),
        ("WARNING", "odd request"),
        ("INFO", "invocation"),
    } <= found
    (run,) = lines[-1]["runs"]
    assert len(run["deleted"]) == 3
    assert run["totals"]["held_back"] == 7


def test_an_unreadable_list_has_a_line_of_its_own(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason."""
    platform.dds.list_faults = [DeniedError("x", cloud_code="DBS.280032")]

    platform.deliver(tick())

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ("ERROR", "backups not listed", "DBS.280032") in {
        (line["level"], line["message"], line.get("cloud_code")) for line in lines
    }


def reported(platform: Platform) -> Platform:
    """After a tick, whatever it raises."""
    with contextlib.suppress(UnfinishedEventError):
        platform.deliver(tick())
    return platform


def dry() -> Platform:
    return reported(Platform(DRY_RUN="true"))


def unreadable() -> Platform:
    platform = Platform()
    platform.dds.list_faults = [DeniedError("x", cloud_code="DBS.280032")]
    return reported(platform)


def troubled() -> Platform:
    platform = Platform(30, RETENTION="daily=20", MAX_DELETES="6")
    platform.dds.backups += nightly(13, until=START, instance="i-2")
    platform.dds.backups.append(made(status="BUILDING", instance="i-2"))
    platform.dds.delete_faults = [
        DeniedError("x", cloud_code="DBS.280032"),
        BusyError("x"),
        *[None] * 4,
        BusyError("x"),
    ]
    return reported(platform)


CASES: dict[str, Callable[[], Platform]] = {
    "pruned": lambda: reported(Platform()),
    "dry": dry,
    "held back": lambda: reported(Platform(40)),
    "nothing": lambda: reported(Platform(0)),
    "unreadable": unreadable,
    "troubled": troubled,
    "cut": lambda: reported(Platform(1500, RETENTION="daily=1400", MAX_DELETES="1000")),
}


@pytest.mark.parametrize("case", CASES)
def test_each_report_fits_its_schema(case: str) -> None:
    """With all the fields that it may have, and no other."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)

    (event,) = CASES[case]().events()

    jsonschema.validate(event, schema, cls=jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(event | {"data": event["data"] | {"more": 1}}, schema, cls=jsonschema.Draft202012Validator)
