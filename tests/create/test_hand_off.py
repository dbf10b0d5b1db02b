"""Handing instances off to further invocations, as messages to the request topic."""

import json

import pytest

from shared.create.hand_off import MAX_HOPS, HandOff
from shared.create.request import BackupRequest, HandedOn
from shared.errors import DeniedError
from shared.fleet import Selector
from shared.identity import EventNames
from shared.notify import Notifier, Sender
from tests.fakes import FakeClock, FakeTopic, make_retrying


NAMES = EventNames("nightly", "a" * 32)
REQUEST = BackupRequest(select=Selector(name="*"), description="for the night", min_interval="1h")


def hand_off(topic: FakeTopic, size: int = 2) -> HandOff:
    sender = Sender("urn:fss:x", "cn-north-4", "p", "r")
    return HandOff(Notifier(topic, make_retrying(FakeClock()), sender), size)


def test_a_message_has_the_names_of_the_backups() -> None:
    """With the description and min_interval, another invocation makes the same backups."""
    topic = FakeTopic()

    accepted = hand_off(topic).publish(REQUEST, NAMES, ["1", "2", "3"])

    assert accepted == ["1", "2", "3"]
    requests = [BackupRequest.model_validate_json(note.body) for note in topic.sent]
    assert [request.instance_ids for request in requests] == [("1", "2"), ("3",)]
    for request in requests:
        assert request.handed_on == HandedOn(stem=NAMES.stem, key=NAMES.key, exact=False, hops=1)
        assert request.wanted_description == "for the night"
        assert request.min_interval == REQUEST.min_interval


def test_a_topic_that_fails_for_good_is_not_asked_again() -> None:
    """The topic accepts the first message and refuses the second; the third is not published."""
    topic = FakeTopic(faults=[None, DeniedError("no")])

    assert hand_off(topic).publish(REQUEST, NAMES, ["1", "2", "3", "4", "5"]) == ["1", "2"]
    assert len(topic.sent) == 1


def test_an_instance_is_handed_off_a_limited_number_of_times() -> None:
    """The messages count the hops."""
    request = REQUEST
    topic = FakeTopic()
    hops = 0
    while HandOff.is_allowed_for(request):
        hand_off(topic).publish(request, NAMES, ["1"])
        request = BackupRequest.model_validate_json(topic.sent[-1].body)
        hops += 1

    assert hops == MAX_HOPS
    assert json.loads(topic.sent[-1].body)["handed_on"]["hops"] == MAX_HOPS


@pytest.mark.parametrize(("size", "instances", "needed"), [(2, "12", False), (2, "123", True)])
def test_more_instances_than_the_size_need_a_hand_off(size: int, instances: str, *, needed: bool) -> None:
    """As many as the size do not."""
    assert hand_off(FakeTopic(), size).is_needed_for(list(instances)) is needed
