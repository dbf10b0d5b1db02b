"""Fleets: selections of any size, too large for one invocation, throttled, delivered twice."""

import json
from collections import Counter
from typing import Any

import pytest

from shared.drills import TAG
from shared.errors import CloudError, DeniedError, ThrottledError, TransientError, UnfinishedEventError
from shared.model import Instance
from tests.create.platform import EVENT, REQUESTS, Platform
from tests.fakes import FakeDds
from tests.triggers import documented as doc


DRILL = f"drill-20261124T060000Z-{7:032x}"


class ThrottledDds(FakeDds):
    """A DDS that accepts 60 calls a minute and answers 429 to the others."""

    def call(self, name: str, faults: Any) -> None:
        minute = self.clock.seconds // 60
        if self.__dict__.get("minute") != minute:
            self.minute, self.taken = minute, 0
        self.calls.append(name)
        if self.taken >= 60:
            self.calls[-1] = "throttled"
            raise ThrottledError("too many")
        self.taken += 1


def test_only_normal_instances_of_a_selection_are_backed_up() -> None:
    """The others are skipped, and their status is the reason."""
    platform = Platform(3)
    platform.instances.known[1] = Instance(platform.ids[1], "db-1", status="frozen")

    report = platform.deliver(EVENT)

    assert report["status"] == "SUCCEEDED"
    assert {r["instance_id"]: (r["outcome"], r.get("code")) for r in report["results"]} == {
        platform.ids[0]: ("CREATED", None),
        platform.ids[1]: ("SKIPPED", "instance_status"),
        platform.ids[2]: ("CREATED", None),
    }
    assert len(platform.topic.sent) == 3


def test_a_selection_leaves_out_the_instances_of_drills() -> None:
    """They are not even skipped, whatever selects them."""
    platform = Platform(3)
    platform.instances.known[1] = Instance(platform.ids[1], DRILL)
    platform.instances.known[2] = Instance(platform.ids[2], "renamed", tags={TAG: ""})

    assert [r["instance_id"] for r in platform.deliver(EVENT)["results"]] == platform.ids[:1]


@pytest.mark.parametrize("order", [1, -1])
def test_a_named_instance_of_a_drill_is_skipped_if_the_instances_are_listed_anyway(order: int) -> None:
    """The reason names it, the others are backed up, and no call is added, in any order of the messages."""
    platform = Platform(3)
    platform.instances.known[2] = Instance(platform.ids[2], DRILL)
    named, selected = {"instance_ids": platform.ids[1:]}, {"select": {"name": "db-0"}}
    texts = [json.dumps(request) for request in (named, selected)][::order]

    report = platform.deliver(doc.smn(*[doc.smn_record(text, message_id=text) for text in texts]))

    assert report["status"] == "SUCCEEDED"
    results = {r["instance_id"]: r for r in report["results"]}
    assert [results[i]["outcome"] for i in platform.ids] == ["CREATED", "CREATED", "SKIPPED"]
    assert results[platform.ids[2]]["code"] == "drill"
    assert DRILL in results[platform.ids[2]]["message"]
    assert {r["name"] for r in results.values()} != {None}
    assert platform.instances.calls == 1
    (notification,) = [n for n in platform.topic.sent if n.attributes["outcome"] == "SKIPPED"]
    assert notification.subject == f"DDS backup skipped: {DRILL} ({platform.ids[2]})"
    assert notification.attributes["severity"] == "warning"


def test_an_instance_that_only_its_id_names_is_backed_up() -> None:
    """Nothing tells that it is a drill's but the list of instances, which is not read for ids."""
    platform = Platform(1)
    platform.instances.known[0] = Instance(platform.ids[0], DRILL)

    report = platform.deliver(doc.timer(json.dumps({"instance_ids": platform.ids})))

    assert [r["outcome"] for r in report["results"]] == ["CREATED"]
    assert platform.instances.calls == 0


def test_people_read_the_names_of_selected_instances() -> None:
    """The selection has read them. For instances that the event names, they would cost a call."""
    platform = Platform(1)
    name = platform.instances.known[0].name

    platform.deliver(EVENT)
    platform.deliver(doc.timer(json.dumps({"instance_ids": platform.ids})))

    selected, named = platform.topic.sent
    assert selected.subject == f"DDS backup started: {name} ({platform.ids[0]})"
    assert f"\nInstance name: {name}\nInstance: {platform.ids[0]}\n" in selected.email
    assert named.subject == f"DDS backup started: {platform.ids[0]}"


def test_an_empty_selection_is_rejected() -> None:
    """The rejection is published, and a redelivery is not asked for."""
    platform = Platform(3)

    report = platform.deliver(doc.timer(json.dumps({"select": {"tags": {"backup": []}}})))

    assert (report["status"], report["rejected"][0]["code"]) == ("FAILED", "empty_selection")
    assert json.loads(platform.topic.sent[0].body)["type"] == "dds.backup.rejected"


def test_a_gateway_gets_400_for_an_empty_selection() -> None:
    """The caller has to change the request."""
    assert Platform(3).deliver(doc.apig(json.dumps({"select": {"name": "nobody"}})))["statusCode"] == 400


@pytest.mark.parametrize(("error", "again"), [(TransientError("503"), True), (DeniedError("no"), False)])
def test_a_fleet_that_cannot_be_listed_is_rejected(error: CloudError, *, again: bool) -> None:
    """A redelivery is asked for if it can help; otherwise the rejection is published."""
    platform = Platform(3)
    platform.instances.faults = [error] * 9

    if again:
        with pytest.raises(UnfinishedEventError, match=r"user_event rejected \(unavailable\)"):
            platform.deliver(EVENT)
        assert not platform.topic.sent, "an error that a redelivery may cure is not published"
    else:
        assert platform.deliver(EVENT)["rejected"][0]["code"] == "denied"


def test_the_starts_of_a_fleet_are_spread_in_a_stable_order() -> None:
    """They take START_SPREAD seconds, in the same order every night; instances that a request names start at once."""
    platform = Platform(20, START_SPREAD="100")

    platform.deliver(EVENT)
    first = [(backup.instance_id, backup.begin_time) for backup in platform.dds.backups]
    moments = [moment for _, moment in first]

    assert len(set(moments)) == 20
    assert 50 < platform.clock.seconds <= 100
    again = Platform(20, START_SPREAD="100")
    again.deliver(EVENT)
    assert [(backup.instance_id, backup.begin_time) for backup in again.dds.backups] == first
    named = Platform(20, START_SPREAD="100")
    named.deliver({"instance_ids": named.ids})
    assert named.clock.seconds == 0


def test_a_large_selection_is_handed_off() -> None:
    """The first invocation makes no backup: it publishes messages of at most 50 instances."""
    platform = Platform(120, REQUEST_TOPIC_URN=REQUESTS)

    report = platform.deliver(EVENT)

    assert (report["status"], report["handed_on"], report["results"]) == ("SUCCEEDED", 120, [])
    assert len(platform.requests.sent) == 3
    assert not platform.dds.backups


@pytest.mark.parametrize("copies", [1, 2])
def test_a_hand_off_delivered_twice_makes_one_backup_of_each_instance(copies: int) -> None:
    """The event of the timer and each of the messages are delivered once or twice."""
    platform = Platform(120, REQUEST_TOPIC_URN=REQUESTS)

    platform.deliver_until_they_succeed(EVENT, copies=copies)

    platform.assert_each_instance_has_one_backup()
    assert {json.loads(note.body)["subject"] for note in platform.topic.sent} == set(platform.ids)


def test_an_invocation_backs_up_the_instances_that_its_request_topic_refuses() -> None:
    """The first message is accepted, and the topic fails at the second."""
    platform = Platform(120, REQUEST_TOPIC_URN=REQUESTS)
    platform.requests.faults = [None, *[TransientError("503")] * 5]

    report = platform.deliver(EVENT)

    assert report["handed_on"] == 50
    assert sorted(result["instance_id"] for result in report["results"]) == sorted(platform.ids[50:])
    platform.deliver_until_they_succeed(doc.smn(doc.smn_record(platform.requests.sent[0].body, topic_urn=REQUESTS)))
    platform.assert_each_instance_has_one_backup()


def test_an_instance_that_the_deadline_cuts_off_is_handed_off() -> None:
    """It is busy for longer than the invocation has; a further invocation makes its backup, and nothing is raised."""
    platform = Platform(3, REQUEST_TOPIC_URN=REQUESTS)
    platform.dds.busy_until[platform.ids[0]] = 700

    report = platform.deliver(EVENT)

    assert report["status"] == "SUCCEEDED"
    (left,) = [r for r in report["results"] if r["outcome"] == "DEFERRED"]
    assert (left["instance_id"], left["handed_on"], left["code"]) == (platform.ids[0], True, "busy")
    platform.deliver_until_they_succeed(doc.smn(doc.smn_record(platform.requests.sent[0].body, topic_urn=REQUESTS)))
    platform.assert_each_instance_has_one_backup()


def test_without_a_request_topic_a_redelivery_makes_the_backup() -> None:
    """The event is raised as unfinished."""
    platform = Platform(3)
    platform.dds.busy_until[platform.ids[0]] = 700

    with pytest.raises(UnfinishedEventError, match="busy"):
        platform.deliver(EVENT)
    platform.deliver_until_they_succeed(EVENT)

    platform.assert_each_instance_has_one_backup()


def test_an_instance_that_cannot_be_handed_off_is_deferred() -> None:
    """The request topic refuses the message, so dds.backup.deferred is published and the event is unfinished."""
    platform = Platform(3, REQUEST_TOPIC_URN=REQUESTS)
    platform.dds.busy_until[platform.ids[0]] = 700
    platform.requests.faults = [DeniedError("no")]

    with pytest.raises(UnfinishedEventError, match="busy"):
        platform.deliver(EVENT)
    assert "dds.backup.deferred" in {json.loads(note.body)["type"] for note in platform.topic.sent}


def test_eight_workers_back_up_a_fleet_under_60_calls_a_minute() -> None:
    """They share one rate limiter."""
    platform = Platform(150, ThrottledDds, MAX_CONCURRENCY="8")

    platform.deliver_until_they_succeed(EVENT)

    platform.assert_each_instance_has_one_backup()


@pytest.mark.slow
def test_a_fleet_of_2000_is_backed_up_under_60_calls_a_minute() -> None:
    """It takes DDS more than half an hour, and the function several invocations of at most five minutes."""
    platform = Platform(2000, ThrottledDds, REQUEST_TOPIC_URN=REQUESTS)

    platform.deliver_until_they_succeed(EVENT)

    platform.assert_each_instance_has_one_backup()
    counted = Counter(platform.dds.calls)
    assert counted["create"] == 2000
    assert platform.clock.seconds < 2000 * 1.4
    assert counted["throttled"] < 400


def test_a_redelivery_continues_after_a_killed_invocation() -> None:
    """The backups that the killed invocation made are found and not made again."""
    platform = Platform(40)

    class Killed(BaseException):
        """FunctionGraph ends the process."""

    def kill() -> None:
        raise Killed

    platform.dds.create_faults = [*[None] * 17, kill]
    with pytest.raises(Killed):
        platform.deliver(EVENT)
    assert 17 <= len(platform.dds.backups) < 40

    platform.deliver_until_they_succeed(EVENT)

    platform.assert_each_instance_has_one_backup()
