"""The whole function drill_backups on a DDS in memory: what it does, returns, raises, publishes and logs."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import jsonschema
import pytest

from cli.paths import CHECKOUT
from shared.bootstrap import drill_backups
from shared.drill.checks import Drilled, Inspection
from shared.drill.function import DrillBackupsSettings
from shared.drill.schedule import Schedule, read_hours
from shared.drills import TAG, DrillName, verified
from shared.errors import (
    AmbiguousError,
    BusyError,
    CloudError,
    DeniedError,
    InvalidError,
    SettingsError,
    TransientError,
    UnfinishedEventError,
)
from shared.model import Database
from shared.retry import Deadline
from tests.drill.platform import PERIOD, SETTINGS
from tests.drill.world import NEVER, PROJECT, Fate, World
from tests.fakes import START, A, FakeClock, FakeContext, Steady, assert_within_limits
from tests.triggers import documented as doc


B = f"{2:032x}in02"
SCHEDULE = Schedule(timedelta(days=1), read_hours("10:00-14:00"))
HEALTHY = ["dds.drill.started", "dds.drill.verified"]


class Platform:
    """FunctionGraph with the function on a World, at the begin of the slot of an instance."""

    def __init__(self, *sources: str, **settings: str) -> None:
        self.clock = FakeClock()
        self.world = World(self.clock)
        for number, source in enumerate(sources or (A,)):
            self.world.add_source(source, f"shop-{number}")
            self.world.add_backup(source)
        self.context = FakeContext({**SETTINGS, **settings})
        self.slot = SCHEDULE.slot(A, START + timedelta(hours=12))
        self.clock.seconds = (self.slot.begin - START).total_seconds() + 60
        self.faults: dict[str, list[CloudError]] = {}
        self.world.disturb = self._disturb
        self.connects = lambda settings, project_id, clock: self.world
        self.start()

    def start(self, **fakes: Any) -> None:
        """Start the function, with the World as the inspector."""
        given: dict[str, Any] = {"inspect": lambda scope, restores: self.world, **fakes}
        self.function = drill_backups(connect=self.connects, clock=self.clock, rng=Steady(), environment={}, **given)

    def _disturb(self, name: str, before: bool) -> None:
        key = name if before else f"after {name}"
        if self.faults.get(key):
            raise self.faults[key].pop(0)

    def tick(self, request: str = "", **changes: object) -> Any:
        """Deliver the event of a run of the timer that is due now."""
        return self.function.handle(doc.timer(request, time=self.clock.now().isoformat(), **changes), self.context)

    def ticks(self, count: int, request: str = "") -> list[Any]:
        """Deliver so many of them."""
        reports = []
        for _ in range(count):
            reports.append(self.tick(request))
            self.clock.seconds += PERIOD.total_seconds()
        return reports

    @property
    def writes(self) -> list[str]:
        """The calls that change something, in their order."""
        return [what for _, what, _, _ in self.world.events if what not in {"restored", "deleted"}]

    @property
    def copy(self) -> Any:
        """The instance of the drill that runs."""
        (copy,) = self.world.drills()
        return copy

    def published(self, kind: str = "") -> list[dict[str, Any]]:
        """The CloudEvents on the topic, each id once, of one type."""
        events = {e["id"]: e for e in map(json.loads, (notification.body for notification in self.world.sent))}
        return [event for event in events.values() if event["type"].endswith(kind)]

    def types(self) -> list[str]:
        """Their types."""
        return [event["type"] for event in self.published()]


@pytest.fixture
def platform() -> Platform:
    return Platform()


def validate(platform: Platform) -> None:
    """Assert that everything on the topic fits its schema and SMN's limits."""
    for notification in platform.world.sent:
        event = json.loads(notification.body)
        path = CHECKOUT / "docs" / "events" / f"{event['type']}.schema.json"
        jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8"))).validate(event)
        assert_within_limits(notification)


# A drill from its begin to its end.


def test_a_drill_goes_its_way(platform: Platform) -> None:
    """Restored, tagged, checked, published, restarted as the mark, and deleted; each run takes one step."""
    reports = platform.ticks(9)

    steps = [(drill["step"], drill["code"]) for report in reports for drill in report["drills"]]
    assert steps == [
        ("WAIT", "restoring"),
        ("TAG", "restored"),
        ("CHECK", "verified"),
        ("DELETE", "verified"),
    ]
    assert reports[0]["slots"][0]["state"] == "BEGUN"
    assert {report["status"] for report in reports} == {"SUCCEEDED"}
    assert platform.writes == ["reset_password", "tag", "tag", "restart", "delete"]
    assert platform.types() == HEALTHY
    assert platform.world.drills() == []
    (mark,) = verified(platform.world.tasks)
    assert mark.name.slot == platform.slot.begin


def test_the_instance_is_what_the_settings_say() -> None:
    """Its name has the slot and the backup, and it lies where drills lie."""
    platform = Platform(DRILL_SUBNET_ID="drills-net", DRILL_VPC_ID="v", DRILL_SECURITY_GROUP_ID="s", DRILL_SPEC="tiny")

    platform.tick()

    (new,) = platform.world.plans
    assert DrillName.parse(new.name) == DrillName(platform.slot.begin, platform.world.made[0].id[:32])
    assert (new.enterprise_project_id, new.vpc_id, new.subnet_id, new.security_group_id) == (
        PROJECT,
        "v",
        "drills-net",
        "s",
    )
    assert [flavor.spec_code for flavor in new.flavors] == ["tiny"]
    assert new.password is None


def test_the_verdict_has_the_times_of_the_drill(platform: Platform) -> None:
    """How long it waited, was restored and checked, how old the backup was, and what the checks found."""
    platform.ticks(9)

    (event,) = platform.published("verified")
    data = event["data"]
    assert data["rto"] == {"queue": 60, "restore": 1200, "checks": 0.0, "target": None, "met": None}
    began = platform.world.made[0].begin_time
    assert began
    age = platform.slot.begin + timedelta(minutes=1) - began
    assert data["rpo"] == {"backup_age": age.total_seconds(), "newest_data": 12.0}
    assert (data["restored"], data["valid"], data["cleaned_up"]) == ("yes", "verified", "pending")
    assert data["checks"][0]["passed"] is True
    assert (data["instance_id"], data["instance_name"]) == (A, "shop-0")
    notification = platform.world.sent[-1]
    assert notification.subject == "DDS backup verified by a drill: shop-0, restored in 20 min"
    assert notification.attributes["severity"] == "info"
    assert "databases: passed; expected shop, found shop" in notification.email
    validate(platform)


def test_a_restore_that_takes_too_long_is_verified_with_a_warning() -> None:
    """DRILL_RTO is about the restore, and no reason to distrust the backup."""
    platform = Platform(DRILL_RTO="19m")
    platform.ticks(9)

    (event,) = platform.published("verified")
    assert (event["data"]["code"], event["data"]["rto"]["met"]) == ("rto_missed", False)
    assert platform.world.sent[-1].attributes["severity"] == "warning"
    assert platform.world.sent[-1].subject.endswith("restored in 20 min, longer than DRILL_RTO")


def test_a_copy_that_is_not_what_was_backed_up_fails(platform: Platform) -> None:
    """It is deleted in the same run, and never marked as verified."""
    platform.world.fates[A] = Fate(is_good=False)
    platform.ticks(9)

    (event,) = platform.published("failed")
    data = event["data"]
    assert (data["code"], data["stage"], data["restored"], data["valid"]) == (
        "checks_failed",
        "checks",
        "yes",
        "failed",
    )
    assert data["message"] == "the copy is not what was backed up: databases"
    assert platform.writes == ["reset_password", "tag", "tag", "delete"]
    assert list(verified(platform.world.tasks)) == []
    assert platform.world.sent[-1].attributes["severity"] == "error"
    validate(platform)


def test_checks_that_cannot_be_made_are_tried_again(platform: Platform) -> None:
    """A verdict comes as soon as they can be made."""
    platform.world.fates[A] = Fate(unchecked=2)
    reports = platform.ticks(11)

    steps = [(drill["step"], drill["code"]) for report in reports for drill in report["drills"]]
    assert steps[2:5] == [("CHECK", "checks_not_made"), ("CHECK", "checks_not_made"), ("CHECK", "verified")]
    assert platform.types() == HEALTHY


def test_after_an_hour_nothing_is_known_of_the_backup(platform: Platform) -> None:
    """That is inconclusive, and never a failure."""
    platform.world.fates[A] = Fate(unchecked=99)
    platform.ticks(14)

    (event,) = platform.published("inconclusive")
    data = event["data"]
    assert (data["code"], data["restored"], data["valid"]) == ("checks_not_made", "yes", "inconclusive")
    assert data["message"] == "could not be checked: databases"
    assert platform.published("failed") == []
    assert platform.world.drills() == []
    assert platform.world.sent[-1].attributes["severity"] == "warning"
    validate(platform)


def test_a_backup_that_is_gone_meanwhile_tells_nothing(platform: Platform) -> None:
    """There is nothing to expect of the copy."""
    platform.ticks(3)
    platform.world.made.clear()
    platform.ticks(4)

    (event,) = platform.published("inconclusive")
    assert event["data"]["code"] == "backup_gone"
    assert platform.world.drills() == []
    validate(platform)


@pytest.mark.parametrize("ends", ["createfail", "abnormal"])
def test_a_restore_that_fails_is_published_and_cleaned_up(platform: Platform, ends: str) -> None:
    """The stage tells it from a copy that is wrong."""
    platform.world.fates[A] = Fate(ends=ends)
    platform.ticks(6)

    (event,) = platform.published("failed")
    assert (event["data"]["code"], event["data"]["stage"]) == ("restore_failed", "restore")
    assert (event["data"]["restored"], event["data"]["valid"]) == ("no", "inconclusive")
    assert platform.world.drills() == []
    validate(platform)


def test_a_restore_that_fails_without_a_trace_is_published(platform: Platform) -> None:
    """Its task is all that is left of it."""
    platform.world.fates[A] = Fate(ends="gone")
    platform.ticks(6)

    (event,) = platform.published("failed")
    assert (event["data"]["restored"], event["data"]["cleaned_up"]) == ("no", "yes")
    assert platform.types() == ["dds.drill.started", "dds.drill.failed"]
    validate(platform)


def test_a_copy_that_does_not_start_again_is_not_marked(platform: Platform) -> None:
    """The verification is published already; that it is not kept is published, too."""
    platform.world.fates[A] = Fate(restart_fails=True)
    platform.ticks(9)

    (event,) = platform.published("inconclusive")
    assert (event["data"]["code"], event["data"]["stage"]) == ("not_restarted", "restart")
    assert platform.types() == [*HEALTHY, "dds.drill.inconclusive"]
    assert platform.world.drills() == []
    validate(platform)


def test_an_instance_that_is_too_old_is_deleted_in_whatever_state(platform: Platform) -> None:
    """As soon as DDS lets it: an instance that it is creating it does not."""
    platform.world.fates[A] = Fate(takes=timedelta(hours=3, minutes=35))
    platform.ticks(22)
    sent = [json.loads(notification.body)["type"] for notification in platform.world.sent]
    assert sent.count("dds.drill.overdue") == 2  # in a run and the one after it, not in each
    platform.ticks(3)

    (event,) = platform.published("overdue")
    assert (event["data"]["code"], event["data"]["stage"]) == ("too_old", "checks")
    assert platform.world.drills() == []
    assert len(platform.published("leaked")) == 1
    validate(platform)


def test_a_run_just_before_the_moment_of_its_window_leaves_the_instance_to_the_next_one(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was due before the instance became too old, and came after. It neither tags nor deletes what is not told."""
    platform.world.fates[A] = Fate(takes=NEVER)
    platform.ticks(1)
    too_old = platform.copy.created + timedelta(hours=3)
    platform.clock.seconds = (too_old - START).total_seconds() + 1
    told: list[list[str]] = []
    # A DDS that tags an instance which it is creating.
    monkeypatch.setattr(platform.world, "tag", lambda *_: told.append(platform.types()))
    event = doc.timer("", time=(too_old - timedelta(seconds=1)).isoformat())

    platform.function.handle(event, platform.context)

    assert (told, "delete" in platform.world.calls, platform.published("overdue")) == ([], False, [])

    platform.function.handle(doc.timer("", time=(too_old + PERIOD).isoformat()), platform.context)

    assert len(platform.published("overdue")) == 1
    assert "dds.drill.overdue" in told[0]
    assert "delete" in platform.world.calls


@pytest.mark.parametrize(("unchecked", "last"), [(0, "inconclusive"), (99, "overdue")])
def test_a_restore_that_takes_as_long_as_a_drill_may(platform: Platform, unchecked: int, last: str) -> None:
    """There is no time left for the mark of a verdict, or for a verdict."""
    platform.world.fates[A] = Fate(
        takes=timedelta(hours=2, minutes=35), unchecked=unchecked, restart_takes=timedelta(minutes=15)
    )
    platform.ticks(22)

    assert platform.published("failed") == []
    assert platform.world.drills() == []
    assert platform.types()[-1] == f"dds.drill.{last}"
    validate(platform)


def test_an_instance_that_cannot_be_deleted_is_published_every_day(platform: Platform) -> None:
    """Each day is an event of its own; a run and the one after it publish the same."""
    platform.world.fates[A] = Fate(takes=NEVER, refusals=10_000)
    platform.ticks(22)
    first = platform.published("leaked")
    platform.clock.seconds += timedelta(days=1).total_seconds() - PERIOD.total_seconds() * 3
    platform.ticks(3)

    assert [event["data"]["day"] for event in first] == [0]
    assert [event["data"]["day"] for event in platform.published("leaked")] == [0, 1]
    data = first[0]["data"]
    assert (data["code"], data["cleaned_up"], data["instance_status"]) == ("busy", "no", "creating")
    assert platform.world.sent[-1].attributes["severity"] == "error"
    validate(platform)


def test_what_is_only_named_like_a_drill_is_never_touched(platform: Platform) -> None:
    """It keeps drills from beginning, and counts as leaked when it is older than any drill becomes."""
    name = f"drill-20261124T100000Z-{'d' * 32}"
    platform.world.add_source(B, name, created=platform.clock.now() - timedelta(hours=3, minutes=14))
    reports = platform.ticks(3)

    assert platform.writes == []
    assert {drill["interlocks"][0]["code"] for report in reports for drill in report["drills"]} == {"no_restore_task"}
    assert reports[0]["slots"][0]["code"] == "another_drill"
    assert {report["status"] for report in reports} == {"PARTIALLY_FAILED"}
    (event,) = platform.published("leaked")
    assert event["data"]["code"] == "no_restore_task"
    validate(platform)


def test_a_drill_of_an_instance_that_is_not_allowed_is_left_alone() -> None:
    """It is another function's."""
    platform = Platform(A, B)
    platform.tick()
    platform.clock.seconds += 3600
    platform.context.user_data["ALLOWED_INSTANCES"] = B
    platform.start()

    report = platform.tick()

    assert report["drills"] == []
    assert platform.writes == []


# Notifications and their order.


def test_no_verdict_is_kept_before_it_is_published(platform: Platform) -> None:
    """A topic that cannot be reached ends the run; the redelivery publishes, and goes on."""
    platform.ticks(3)
    platform.faults["publish"] = [DeniedError("no")]

    with pytest.raises(UnfinishedEventError, match="not_notified"):
        platform.tick()
    assert platform.copy.tags == {TAG: "open"}
    platform.tick()

    assert platform.copy.tags == {TAG: "verified"}
    assert platform.types() == HEALTHY


def test_a_repeated_verdict_is_the_same_event(platform: Platform) -> None:
    """The tag could not be set, so the next run checks and publishes again."""
    platform.ticks(3)
    platform.faults["tag"] = [BusyError("busy")]
    report = platform.tick()
    assert report["drills"][0]["trouble"]["code"] == "busy"
    assert report["status"] == "FAILED"
    platform.tick()

    sent = [json.loads(notification.body) for notification in platform.world.sent]
    assert len([event for event in sent if event["type"] == "dds.drill.verified"]) == 2
    assert platform.types() == HEALTHY


def test_money_does_not_wait_for_the_topic(platform: Platform) -> None:
    """A quarter of an hour after its greatest age the instance is deleted, whether or not that can be published."""
    platform.world.fates[A] = Fate(ends="frozen")
    platform.ticks(3)
    platform.clock.seconds += 3 * 3600
    platform.faults["publish"] = [DeniedError("no")] * 9

    with pytest.raises(UnfinishedEventError):
        platform.tick()

    assert platform.writes == ["tag", "delete"]


def test_another_invocation_that_was_faster_keeps_its_verdict(platform: Platform) -> None:
    """What it has found is not published again by one that has looked before."""
    platform.ticks(3)
    inspect = platform.world.inspect

    def slowly(drilled: Drilled, deadline: Deadline) -> Inspection:
        found = inspect(drilled, deadline)
        platform.world.known[drilled.copy.id] = replace(drilled.copy, tags={TAG: "failed"})
        return found

    platform.world.inspect = slowly  # type: ignore[method-assign]
    (drill,) = platform.tick()["drills"]

    assert (drill["step"], drill["code"]) == ("WAIT", "changed")
    assert platform.published("verified") == []


def test_what_cannot_be_listed_is_left_for_the_redelivery(platform: Platform) -> None:
    """Nothing is done by half of the facts."""
    platform.faults["jobs"] = [TransientError("down")] * 9

    with pytest.raises(UnfinishedEventError, match=r"DDS not listed \(unavailable\)"):
        platform.tick()
    platform.faults["jobs"] = [DeniedError("no")]
    report = platform.tick()

    assert (report["status"], report["failures"][0]["code"]) == ("FAILED", "denied")
    assert platform.writes == []


# Slots.


def test_a_slot_without_a_drill_is_published_once(platform: Platform) -> None:
    """With the reason, as far as it can be told at the end."""
    platform.world.known[A] = replace(platform.world.known[A], status="abnormal")
    count = int((platform.slot.end - platform.clock.now()) / PERIOD) + 4
    reports = platform.ticks(count)

    states = [slot["state"] for report in reports for slot in report["slots"]]
    assert states.count("NOT_BEGUN") == 2
    (event,) = platform.published()
    data = event["data"]
    assert (event["type"], data["code"], data["stage"]) == ("dds.drill.inconclusive", "source_not_normal", "begin")
    assert (data["restored"], data["valid"], data["cleaned_up"]) == ("no", "inconclusive", "yes")
    assert event["time"] == "2026-11-24T14:00:00.000Z"
    validate(platform)


def at_the_end(platform: Platform) -> dict[str, Any]:
    """Move to the end of the slot, and return the data of what is published."""
    platform.clock.seconds = (platform.slot.end - START).total_seconds()
    platform.tick(json.dumps({"instance_ids": [A]}))
    (event,) = platform.published("inconclusive")
    data = event["data"]
    assert isinstance(data, dict)
    return data


def test_a_slot_in_which_no_run_came_is_published_too(platform: Platform) -> None:
    """Nothing prevents it any more, so nobody knows why."""
    assert at_the_end(platform)["code"] == "not_begun"


def test_an_instance_that_does_not_exist_is_no_silence(platform: Platform) -> None:
    """It was named, so its slot has an outcome."""
    platform.world.known.clear()

    assert at_the_end(platform)["code"] == "not_found"
    validate(platform)


def test_a_dry_run_says_what_it_would_have_done() -> None:
    """It is the default, needs no enterprise project, and changes nothing."""
    platform = Platform()
    platform.context.user_data = {
        "NOTIFY_TOPIC_URN": SETTINGS["NOTIFY_TOPIC_URN"],
        "DRILL_INTERVAL": "1d",
        "DRILL_HOURS": "10:00-14:00",
    }
    report = platform.tick()

    (slot,) = report["slots"]
    assert (report["dry_run"], slot["state"], slot["gigabytes"]) == (True, "WOULD_BEGIN", 20)
    assert slot["backup_id"] == platform.world.made[0].id
    data = at_the_end(platform)
    assert (data["code"], data["message"]) == (
        "dry_run",
        "a dry run: the backup would have been restored to an instance of 20 GB",
    )
    assert platform.world.sent[-1].attributes["severity"] == "info"
    assert platform.world.events == []
    validate(platform)


def test_a_request_can_only_make_a_run_drier(platform: Platform) -> None:
    """And DRY_RUN leaves alone even what it has begun before, but says so."""
    assert platform.tick('{"dry_run": true}')["slots"][0]["state"] == "WOULD_BEGIN"
    platform.ticks(3)
    platform.context.user_data["DRY_RUN"] = "true"
    platform.start()
    platform.clock.seconds += 3 * 3600

    platform.ticks(3, '{"dry_run": false}')

    assert platform.writes == ["reset_password", "tag"]
    assert platform.published("leaked")[0]["data"]["code"] == "dry_run"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda w: w.made.clear(), "no_backup"),
        (lambda w: w.made.__setitem__(0, replace(w.made[0], description="by hand")), "no_backup"),
        (lambda w: w.known.__setitem__(A, replace(w.known[A], groups=())), "unrestorable"),
        (lambda w: w.known.__setitem__(A, replace(w.known[A], actions=("BACKUP",))), "source_busy"),
        (lambda w: setattr(w, "in_bin", 81), "recycle_bin"),
        (lambda w: w.quota.clear(), None),
    ],
    ids=["no backup", "no own backup", "nothing known of its nodes", "a backup is being made", "full bin", "no quota"],
)
def test_an_interlock_is_a_reason_in_the_report(
    platform: Platform, change: Callable[[World], object], code: str | None
) -> None:
    """It is no failure of the function."""
    change(platform.world)

    report = platform.tick()

    (slot,) = report["slots"]
    assert (slot["state"], slot["code"]) == (("BLOCKED", code) if code else ("BEGUN", None))
    assert report["status"] == "SUCCEEDED"
    assert slot["message"] or not code


def test_drills_begin_in_their_hours_only(platform: Platform) -> None:
    """And not in the last minutes of a slot, whose end must not come before DDS lists the drill."""
    platform.clock.seconds = (platform.slot.end - START).total_seconds() - 600
    assert platform.tick()["slots"][0]["code"] == "slot_ends"
    platform.context.user_data["DRILL_INTERVAL"] = "7d"
    platform.start()
    week = Schedule(timedelta(days=7), read_hours("10:00-14:00")).slot(A, START)
    platform.clock.seconds = (week.begin - START).total_seconds()
    platform.clock.seconds += timedelta(days=1, hours=8).total_seconds()

    assert platform.tick()["slots"][0]["code"] == "outside_hours"


def test_who_waits_longest_comes_first_and_the_next_one_if_that_cannot_begin() -> None:
    """An instance whose source is busy does not hold up the others."""
    platform = Platform(A, B)
    first, second = sorted((A, B), key=lambda source: SCHEDULE.slot(source, platform.slot.end).begin)
    platform.clock.seconds = (SCHEDULE.slot(second, platform.slot.end).begin - START).total_seconds() + 60
    platform.world.known[first] = replace(platform.world.known[first], actions=("BACKUP",))

    slots = platform.tick()["slots"]

    assert [(slot["instance_id"], slot["state"]) for slot in slots] == [(first, "BLOCKED"), (second, "BEGUN")]


@pytest.mark.parametrize(
    ("error", "states"),
    [
        (InvalidError("sold out"), [("FAILED", "invalid"), ("BEGUN", None)]),
        (BusyError("busy"), [("FAILED", "busy"), ("BLOCKED", "busy")]),
        (DeniedError("no"), [("FAILED", "denied"), ("BLOCKED", "denied")]),
    ],
)
def test_a_refused_restore_is_an_error(error: CloudError, states: list[tuple[str, str | None]]) -> None:
    """Only one that concerns the source alone lets another one begin."""
    platform = Platform(A, B)
    late = max(SCHEDULE.slot(source, platform.slot.end).begin for source in (A, B))
    platform.clock.seconds = (late - START).total_seconds() + 60
    platform.faults["restore"] = [error]

    report = platform.tick()

    assert [(slot["state"], slot["code"]) for slot in report["slots"]] == states


@pytest.mark.parametrize("before", [True, False])
def test_a_lost_answer_never_leads_to_a_second_drill(platform: Platform, before: bool) -> None:
    """The instance is looked for by its name; if it is not there, the next run decides."""
    platform.faults["restore" if before else "after restore"] = [AmbiguousError("lost")]

    (slot,) = platform.tick()["slots"]
    assert (slot["state"], slot["code"]) == ("UNCLEAR" if before else "BEGUN", "outcome_unknown")
    platform.clock.seconds += 60
    platform.tick()

    assert len(platform.world.drills()) == 1


def test_a_list_that_is_a_minute_old_begins_nothing(platform: Platform) -> None:
    """Another invocation may have begun a drill meanwhile."""

    def slowly(name: str, before: bool) -> None:
        platform.clock.seconds += 61 if name == "recycled" else 0

    platform.world.disturb = slowly

    assert platform.tick()["slots"][0]["code"] == "old_list"
    assert platform.world.drills() == []


def test_two_instances_with_the_same_slot_are_told_apart(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a drill has no source, but the backup."""
    platform.world.add_source(B, "shop-1")
    platform.world.add_backup(B)
    monkeypatch.setattr("shared.drill.schedule.stable_fraction", lambda instance_id: 0.1)
    platform.clock.seconds = (SCHEDULE.slot(A, platform.slot.end).begin - START).total_seconds() + 60
    platform.ticks(6)
    reports = platform.ticks(9)

    assert len(platform.published("verified")) == 2
    assert {event["data"]["instance_id"] for event in platform.published("verified")} == {A, B}
    assert not any(slot["state"] == "BEGUN" for report in reports[2:] for slot in report["slots"])


# Requests and settings.


def now_request(platform: Platform, at: datetime | None = None) -> str:
    return json.dumps({"instance_ids": [A], "at": (at or platform.clock.now()).isoformat()})


def test_a_message_begins_a_drill_at_once(platform: Platform) -> None:
    """Outside the hours, too."""
    platform.clock.seconds += 12 * 3600

    report = platform.function.handle(json.loads(now_request(platform)), platform.context)
    platform.ticks(8)

    assert report["slots"][0]["state"] == "BEGUN"
    assert "dds.drill.verified" in platform.types()


def test_the_same_message_begins_one_drill(platform: Platform) -> None:
    """The time in it is the slot."""
    platform.clock.seconds += 12 * 3600
    request = json.loads(now_request(platform))
    platform.world.fates[A] = Fate(takes=timedelta(minutes=6))
    platform.function.handle(request, platform.context)
    platform.clock.seconds += 420
    platform.ticks(4)
    assert platform.world.drills() == []

    assert platform.function.handle(request, platform.context)["slots"] == []


def test_who_asks_for_a_drill_that_cannot_begin_gets_an_outcome(platform: Platform) -> None:
    """No run of the timer would say it."""
    platform.world.made.clear()

    report = platform.function.handle(json.loads(now_request(platform)), platform.context)

    assert (report["slots"][0]["code"], report["slots"][0]["notified"]) == ("no_backup", True)
    assert platform.published("inconclusive")[0]["data"]["instance_id"] == A


def test_a_lost_answer_to_a_message_is_left_for_its_redelivery(platform: Platform) -> None:
    """It has to see whether the drill has begun."""
    platform.faults["restore"] = [AmbiguousError("lost")]
    event = doc.smn(doc.smn_record(now_request(platform)))

    with pytest.raises(UnfinishedEventError, match="whether the drill has begun"):
        platform.function.handle(event, platform.context)
    assert platform.function.handle(event, platform.context)["slots"][0]["state"] == "BEGUN"


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        ({"at": "2026-11-24T10:00:00Z"}, "at: needs instance_ids with exactly one instance"),
        ({"instance_ids": [A, B], "at": "2026-11-24T10:00:00Z"}, "exactly one instance"),
        ({"instance_ids": [A], "at": "2026-11-23T10:00:00Z"}, "at: must be in the last hour"),
        ({"instance_ids": [A], "at": "2026-11-25T10:00:00Z"}, "at: must be in the last hour"),
        ({"instance_ids": [A], "select": {"name": "*"}}, "name the instances in one way"),
        ({"dry_run": True, "instance_id": A}, "unknown field"),
        ({"expect": {A: {"shop": -1}}}, "expect"),
        ({"instance_ids": ["elsewhere"]}, "ALLOWED_INSTANCES does not include elsewhere"),
    ],
)
def test_a_wrong_request_is_rejected(request_: dict[str, Any], fault: str) -> None:
    """Everything that is wrong with it is said."""
    platform = Platform(ALLOWED_INSTANCES="0*")

    report = platform.function.handle(request_, platform.context)

    assert fault in report["rejected"][0]["message"]
    assert platform.world.events == []


def test_a_timer_has_no_time_to_ask_for(platform: Platform) -> None:
    """Its message is always the same, and would ask for the same time for ever. Drills that run go on."""
    platform.ticks(1)

    report = platform.tick(now_request(platform))

    assert "a timer drills by the schedule" in report["rejected"][0]["message"]
    assert report["drills"][0]["step"] == "WAIT"


EVENTS: dict[str, Callable[[str], object]] = {
    "timer": lambda text: doc.timer(text, time=START.isoformat()),
    "smn": lambda text: doc.smn(doc.smn_record(text)),
    "kafka": doc.kafka,
    "rabbitmq": doc.rabbitmq,
    "rocketmq": doc.rocketmq,
    "eventgrid": lambda text: doc.eventgrid(json.loads(text)),
    "direct": json.loads,
}


@pytest.mark.parametrize("trigger", EVENTS)
def test_every_trigger_can_send_a_request(platform: Platform, trigger: str) -> None:
    """It does a run, which begins what is due."""
    report = platform.function.handle(EVENTS[trigger]('{"select": {"name": "shop*"}}'), platform.context)

    assert (report["status"], report["trigger"]) == ("SUCCEEDED", trigger)
    assert report["slots"][0]["state"] == "BEGUN"


def test_its_own_notifications_are_ignored(platform: Platform) -> None:
    """A topic that is wired in a circle begins nothing."""
    platform.ticks(2)

    report = platform.function.handle(doc.smn(doc.smn_record(platform.world.sent[-1].body)), platform.context)

    assert (report["ignored"], report["drills"], report["slots"]) == (1, [], [])


@pytest.mark.parametrize("sample", ["timer", "direct"])
def test_the_sample_events_are_accepted(platform: Platform, sample: str) -> None:
    """`ddsbackup invoke drill_backups -e events/...` sends them."""
    event = json.loads((CHECKOUT / "events" / f"drill_backups-{sample}.json").read_text(encoding="utf-8"))

    report = platform.function.handle(event, platform.context)

    assert (report["status"], report["trigger"]) == ("SUCCEEDED", sample)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"DRILL_ENTERPRISE_PROJECT_ID": ""}, "required when DRY_RUN is false"),
        ({"DRILL_INTERVAL": "36h"}, "whole number of days"),
        ({"DRILL_INTERVAL": "12h"}, "whole number of days"),
        ({"DRILL_PERIOD": "31m"}, "at most 30m"),
        ({"DRILL_HOURS": "10-22"}, "must be HH:MM-HH:MM in UTC"),
        ({"DRILL_CANARY": "shop"}, "DRILL_CANARY"),
        ({"DRILL_PICK": "oldest"}, "DRILL_PICK"),
        ({"DRILL_INTERVALL": "1d"}, "did you mean DRILL_INTERVAL"),
    ],
)
def test_wrong_settings_stop_the_function(settings: dict[str, str], fault: str) -> None:
    """The message names them."""
    function = drill_backups(environment={**SETTINGS, **settings})

    with pytest.raises(SettingsError, match=fault):
        function.start(FakeContext())


def test_the_defaults_are_safe() -> None:
    """Nothing happens before DRY_RUN is switched off, and then far from the hours of backups."""
    settings = DrillBackupsSettings(NOTIFY_TOPIC_URN=SETTINGS["NOTIFY_TOPIC_URN"])

    assert settings.DRY_RUN is True
    assert str(settings.DRILL_HOURS) == "10:00-22:00"
    assert (timedelta(days=30), timedelta(hours=6)) == (settings.DRILL_INTERVAL, settings.DRILL_MAX_AGE)


# What the checks get.


def test_a_password_that_nobody_keeps(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """It is set before the checks, for them alone, by the rules of DDS, and another one each time."""
    platform.context.user_data["DRILL_CONNECT"] = "true"
    platform.start()
    platform.world.fates[A] = Fate(unchecked=1)
    reports = platform.ticks(8)

    first, second = (drilled.password for drilled in platform.world.inspected)
    assert first
    assert second
    assert first != second
    assert len(first) <= 32
    assert all(any(test(c) for c in first) for test in (str.islower, str.isupper, str.isdigit, "-_".__contains__))
    output = capsys.readouterr().out + json.dumps(reports) + "".join(n.body + n.email for n in platform.world.sent)
    assert first not in output
    assert second not in output
    assert platform.writes.count("reset_password") == 2


def test_a_copy_is_not_marked_before_its_password_is_a_new_one(platform: Platform) -> None:
    """Nobody can read it with the password of the source, although the checks need none."""
    platform.faults["reset_password"] = [BusyError("busy"), AmbiguousError("lost")]
    platform.ticks(11)

    assert platform.writes.index("tag") == platform.writes.count("reset_password") > 0
    assert platform.published("verified")


def test_without_a_password_what_needs_it_is_not_checked(platform: Platform) -> None:
    """The inspector decides what that means."""
    platform.context.user_data["DRILL_CONNECT"] = "true"
    platform.start()
    platform.faults["reset_password"] = [BusyError("busy")]
    platform.ticks(5, json.dumps({"expect": {A: {"shop.orders": 5}}}))

    (drilled,) = platform.world.inspected
    assert drilled.password is None
    assert drilled.expect == {"shop.orders": 5}
    assert (drilled.source and drilled.source.id, drilled.backup) == (A, platform.world.made[0])
    assert drilled.task == platform.world.tasks[0]


def test_the_settings_make_the_inspector(platform: Platform) -> None:
    """It compares the copy with its source by what DDS lists of both."""
    given = {A: [Database("shop", 5, 1.0, 1.0)]}
    platform.world.databases = lambda instance_id: given.get(instance_id, [])  # type: ignore[method-assign]
    platform.function = drill_backups(connect=platform.connects, clock=platform.clock, rng=Steady(), environment={})
    platform.ticks(7)

    (event,) = platform.published("failed")
    assert event["data"]["code"] == "checks_failed"
    assert len(event["data"]["checks"]) > 2
    validate(platform)


def test_the_log_has_every_step(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """In the line of the invocation, and a line for each drill."""
    platform.ticks(2)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    last = next(line for line in reversed(lines) if line["message"] == "invocation")
    assert (last["steps"], last["slots"], last["dry_run"]) == ({"WAIT": 1}, {}, False)
    assert any(line["message"] == "begun" for line in lines)
    assert any(line["message"] == "drills" for line in lines)
