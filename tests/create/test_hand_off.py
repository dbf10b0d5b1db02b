"""Handing instances off to further invocations, as messages to the request topic."""

import json
from datetime import timedelta

import pytest

from shared.create.hand_off import MAX_HOPS, HandOff
from shared.create.request import BackupRequest, HandedOn
from shared.errors import DeniedError
from shared.fleet import Selector
from shared.notify import Notifier, Sender
from tests.create.platform import NOTIFY, REQUESTS, Platform
from tests.fakes import START, A, FakeClock, FakeTopic, make_retrying
from tests.triggers import documented as doc


EVENT = HandedOn(identity=("timer", "Nightly", "2026-11-24T02:00:00+00:00"), time=START, recurring=True)
REQUEST = BackupRequest(select=Selector(name="*"), description="for the night", min_interval="1h")


def hand_off(topic: FakeTopic, size: int = 2) -> HandOff:
    sender = Sender("urn:fss:x", "cn-north-4", "p", "r")
    return HandOff(Notifier(topic, make_retrying(FakeClock()), sender), size)


def test_a_message_has_what_identifies_the_event() -> None:
    """The receiver computes the names itself, and makes the same backups."""
    topic = FakeTopic()

    accepted = hand_off(topic).publish(REQUEST, EVENT, ["1", "2", "3"])

    assert accepted == ["1", "2", "3"]
    requests = [BackupRequest.model_validate_json(note.body) for note in topic.sent]
    assert [request.instance_ids for request in requests] == [("1", "2"), ("3",)]
    for request in requests:
        assert request.handed_on == EVENT.model_copy(update={"hops": 1})
        assert request.wanted_description == "for the night"
        assert request.min_interval == REQUEST.min_interval


def test_a_topic_that_fails_for_good_is_not_asked_again() -> None:
    """The topic accepts the first message and refuses the second; the third is not published."""
    topic = FakeTopic(faults=[None, DeniedError("no")])

    assert hand_off(topic).publish(REQUEST, EVENT, ["1", "2", "3", "4", "5"]) == ["1", "2"]
    assert len(topic.sent) == 1


def test_an_instance_is_handed_off_a_limited_number_of_times() -> None:
    """The messages count the hops."""
    event: HandedOn | None = EVENT
    topic = FakeTopic()
    hops = 0
    while event and HandOff.is_allowed_for(event):
        hand_off(topic).publish(REQUEST, event, ["1"])
        event = BackupRequest.model_validate_json(topic.sent[-1].body).handed_on
        hops += 1

    assert hops == MAX_HOPS
    assert json.loads(topic.sent[-1].body)["handed_on"]["hops"] == MAX_HOPS


@pytest.mark.parametrize(("size", "instances", "needed"), [(2, "12", False), (2, "123", True)])
def test_more_instances_than_the_size_need_a_hand_off(size: int, instances: str, *, needed: bool) -> None:
    """As many as the size do not."""
    assert hand_off(FakeTopic(), size).is_needed_for(list(instances)) is needed


HANDED_ON = json.dumps({"instance_ids": [A], "handed_on": EVENT.model_copy(update={"hops": 1}).model_dump(mode="json")})


@pytest.mark.parametrize(
    ("event", "configured"),
    [
        (doc.smn(doc.smn_record(HANDED_ON, topic_urn=REQUESTS)), False),
        (doc.smn(doc.smn_record(HANDED_ON, topic_urn=NOTIFY)), True),
        (doc.kafka(HANDED_ON), True),
        (json.loads(HANDED_ON), True),
        (doc.timer(HANDED_ON), True),
    ],
    ids=["no request topic", "another topic", "a queue", "a direct call", "a timer"],
)
def test_instances_are_taken_over_from_the_request_topic_alone(event: object, *, configured: bool) -> None:
    """A message that comes another way is rejected and makes no backup."""
    platform = Platform(**({"REQUEST_TOPIC_URN": REQUESTS} if configured else {}))

    report = platform.deliver(event)

    assert report["rejected"][0]["code"] == "invalid_request"
    assert not platform.dds.backups


def test_nobody_makes_the_backup_of_a_time_that_has_not_come() -> None:
    """Not by a message of the request topic, and not by an event that looks like a timer's."""
    platform = Platform(REQUEST_TOPIC_URN=REQUESTS)
    future = EVENT.model_copy(update={"time": START + timedelta(days=30), "hops": 1}).model_dump(mode="json")
    forged = json.dumps({"instance_ids": [A], "handed_on": future})

    for event in (
        doc.smn(doc.smn_record(forged, topic_urn=REQUESTS)),
        doc.timer(json.dumps({"instance_id": A}), time="2099-06-01T02:00:00+08:00"),
    ):
        report = platform.deliver(event)
        assert "in the future" in report["rejected"][0]["message"]
    assert not platform.dds.backups
