"""Fleets: selections of any size, more than one invocation can do, throttled, delivered twice."""

import json
from collections import Counter, deque
from typing import Any

import pytest

from shared.bootstrap import create_backup
from shared.errors import CloudError, DeniedError, ThrottledError, TransientError, UnfinishedEventError
from shared.model import Instance
from tests.fakes import FakeClock, FakeCloud, FakeContext, FakeDds, FakeInstances, FakeTopic, Steady, fake_connect
from tests.triggers import documented as doc


PROJECT = "0162c0f220284698b77a3d264376343a"
NOTIFY = f"urn:smn:cn-north-4:{PROJECT}:dds-backups"
REQUESTS = f"urn:smn:cn-north-4:{PROJECT}:backup-requests"
EVENT = doc.timer(json.dumps({"select": {"name": "*"}}))


class ThrottledDds(FakeDds):
    """A DDS that takes so many calls a minute and answers 429 to the rest."""

    per_minute = 60

    def call(self, name: str, faults: Any) -> None:
        minute = self.clock.seconds // 60
        if self.__dict__.get("minute") != minute:
            self.minute, self.taken = minute, 0
        self.calls.append(name)
        if self.taken >= self.per_minute:
            self.calls[-1] = "throttled"
            raise ThrottledError("too many")
        self.taken += 1


class System:
    """FunctionGraph and SMN around the function: messages on the request topic are delivered to it."""

    def __init__(self, size: int, dds: type[FakeDds] = FakeDds, **settings: str) -> None:
        self.clock = FakeClock()
        self.ids = [f"{number:032x}in02" for number in range(size)]
        self.dds = dds(self.clock, instances=self.ids, duration=600)
        self.instances = FakeInstances([Instance(i, f"db-{n}") for n, i in enumerate(self.ids)])
        self.topic = FakeTopic()
        self.cloud = FakeCloud(self.dds, self.topic, self.instances, {REQUESTS: FakeTopic()})
        self.context = FakeContext({"NOTIFY_TOPIC_URN": NOTIFY, "MAX_CONCURRENCY": "1", **settings})
        self.function = create_backup(connect=fake_connect(self.cloud), clock=self.clock, rng=Steady(), environment={})
        self.invocations = 0

    @property
    def requests(self) -> FakeTopic:
        return self.cloud.other_topics[REQUESTS]

    def invoke(self, event: object) -> Any:
        self.invocations += 1
        self.context.request_id = f"request-{self.invocations}"
        return self.function.handle(event, self.context)

    def deliver(self, *events: object, copies: int = 1) -> None:
        """Deliver events, each so many times, and all that they make the function publish to the request topic.

        An event that fails is delivered again, five times at most.
        """
        queue = deque((event, 5) for event in events for _ in range(copies))
        seen = 0
        while queue:
            event, tries = queue.popleft()
            try:
                self.invoke(event)
            except UnfinishedEventError:
                assert tries, "an event was given up"
                queue.append((event, tries - 1))
            for note in self.requests.sent[seen:]:
                seen += 1
                queue.extend([(doc.smn(doc.smn_record(note.body, f"m{seen}-{copy}")), 5) for copy in range(copies)])

    def assert_each_instance_has_one_backup(self) -> None:
        assert Counter(backup.instance_id for backup in self.dds.backups) == Counter(self.ids)


def test_a_selection_is_backed_up_and_the_rest_explained() -> None:
    """Normal ones are backed up, others skipped with their status."""
    system = System(3)
    system.instances.known[1] = Instance(system.ids[1], "db-1", status="frozen")

    report = system.invoke(EVENT)

    assert report["status"] == "SUCCEEDED"
    assert {r["instance_id"]: (r["outcome"], r.get("code")) for r in report["results"]} == {
        system.ids[0]: ("CREATED", None),
        system.ids[1]: ("SKIPPED", "instance_status"),
        system.ids[2]: ("CREATED", None),
    }
    assert len(system.topic.sent) == 3


def test_an_empty_selection_is_reported_and_announced() -> None:
    """Never silently fine, and never worth a redelivery."""
    system = System(3)

    report = system.invoke(doc.timer(json.dumps({"select": {"tags": {"backup": []}}})))

    assert (report["status"], report["rejected"][0]["code"]) == ("FAILED", "empty_selection")
    assert json.loads(system.topic.sent[0].body)["type"] == "dds.backup.rejected"


def test_an_empty_selection_through_a_gateway_is_the_callers_mistake() -> None:
    """400, not a bad gateway."""
    assert System(3).invoke(doc.apig(json.dumps({"select": {"name": "nobody"}})))["statusCode"] == 400


@pytest.mark.parametrize(("error", "again"), [(TransientError("503"), True), (DeniedError("no"), False)])
def test_a_fleet_that_cannot_be_listed(error: CloudError, *, again: bool) -> None:
    """Left for a redelivery if that can help, else announced and done."""
    system = System(3)
    system.instances.faults = [error] * 9

    if again:
        with pytest.raises(UnfinishedEventError, match=r"user_event rejected \(unavailable\)"):
            system.invoke(EVENT)
        assert not system.topic.sent, "what is tried again is not news yet"
    else:
        assert system.invoke(EVENT)["rejected"][0]["code"] == "denied"


def test_the_starts_of_a_fleet_are_spread_and_each_instance_has_its_place() -> None:
    """START_SPREAD seconds, the same order every night; instances named by hand start at once."""
    system = System(20, START_SPREAD="100")

    system.invoke(EVENT)
    first = [(backup.instance_id, backup.begin_time) for backup in system.dds.backups]
    moments = [moment for _, moment in first]

    assert len(set(moments)) == 20
    assert 50 < system.clock.seconds <= 100
    again = System(20, START_SPREAD="100")
    again.invoke(EVENT)
    assert [(backup.instance_id, backup.begin_time) for backup in again.dds.backups] == first
    by_hand = System(20, START_SPREAD="100")
    by_hand.invoke({"instance_ids": by_hand.ids})
    assert by_hand.clock.seconds == 0


def test_a_large_selection_is_handed_on() -> None:
    """The first invocation only publishes; the messages do the work."""
    system = System(120, REQUEST_TOPIC_URN=REQUESTS)

    report = system.invoke(EVENT)

    assert (report["status"], report["handed_on"], report["results"]) == ("SUCCEEDED", 120, [])
    assert len(system.requests.sent) == 3
    assert not system.dds.backups


@pytest.mark.parametrize("copies", [1, 2])
def test_a_fan_out_delivered_twice_makes_one_backup_an_instance(copies: int) -> None:
    """The timer's tick twice, and each of the messages twice."""
    system = System(120, REQUEST_TOPIC_URN=REQUESTS)

    system.deliver(EVENT, copies=copies)

    system.assert_each_instance_has_one_backup()
    assert {json.loads(note.body)["subject"] for note in system.topic.sent} == set(system.ids)


def test_a_request_topic_that_fails_leaves_the_event_unfinished() -> None:
    """The redelivery publishes all messages again, which does no harm."""
    system = System(120, REQUEST_TOPIC_URN=REQUESTS)
    system.requests.faults = [None, *[TransientError("503")] * 5]

    with pytest.raises(UnfinishedEventError, match="50 instances not handed on"):
        system.invoke(EVENT)
    system.deliver(EVENT)

    system.assert_each_instance_has_one_backup()


def test_what_the_deadline_cuts_off_is_handed_on() -> None:
    """A busy instance outlasts the invocation: another one is asked to go on, and nothing is raised."""
    system = System(3, REQUEST_TOPIC_URN=REQUESTS)
    system.dds.busy_until[system.ids[0]] = 700

    report = system.invoke(EVENT)

    assert report["status"] == "SUCCEEDED"
    (left,) = [r for r in report["results"] if r["outcome"] == "DEFERRED"]
    assert (left["instance_id"], left["handed_on"], left["code"]) == (system.ids[0], True, "busy")
    system.deliver(doc.smn(doc.smn_record(system.requests.sent[0].body)))
    system.assert_each_instance_has_one_backup()


def test_without_a_request_topic_the_deadline_raises() -> None:
    """As ever."""
    system = System(3)
    system.dds.busy_until[system.ids[0]] = 700

    with pytest.raises(UnfinishedEventError, match="busy"):
        system.invoke(EVENT)


def test_what_can_not_be_handed_on_is_deferred_as_before() -> None:
    """The request topic is down: announced as deferred and raised."""
    system = System(3, REQUEST_TOPIC_URN=REQUESTS)
    system.dds.busy_until[system.ids[0]] = 700
    system.requests.faults = [DeniedError("no")]

    with pytest.raises(UnfinishedEventError, match="busy"):
        system.invoke(EVENT)
    assert "dds.backup.deferred" in {json.loads(note.body)["type"] for note in system.topic.sent}


def test_a_fleet_of_2000_under_60_calls_a_minute() -> None:
    """More than half an hour of DDS's time, in as many invocations as it takes, each within its five minutes."""
    system = System(2000, ThrottledDds, REQUEST_TOPIC_URN=REQUESTS)

    system.deliver(EVENT)

    system.assert_each_instance_has_one_backup()
    counted = Counter(system.dds.calls)
    assert counted["create"] == 2000
    assert system.clock.seconds < 2000 * 1.4
    assert counted["throttled"] < 400


def test_instances_killed_with_their_invocation_are_found_by_the_redelivery() -> None:
    """An invocation is killed in the middle: its event comes again and goes on where it stood."""
    system = System(40)

    class Killed(BaseException):
        """The platform ends the process."""

    def kill() -> None:
        raise Killed

    system.dds.create_faults = [*[None] * 17, kill]
    with pytest.raises(Killed):
        system.invoke(EVENT)
    assert 17 <= len(system.dds.backups) < 40

    system.deliver(EVENT)

    system.assert_each_instance_has_one_backup()
