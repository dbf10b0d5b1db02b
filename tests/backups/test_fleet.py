"""From a selector to instances, and handing on what is too much."""

import json

import pytest

from shared.backups.announcing import Announcer
from shared.backups.errors import CloudError, DeniedError, EmptySelectionError, TransientError
from shared.backups.fan_out import MOST_HOPS, FanOut
from shared.backups.fleet import Fleet
from shared.backups.names import EventNames
from shared.backups.notifications import Sender
from shared.backups.outcomes import Outcome
from shared.backups.pace import Pace
from shared.backups.ports import Instance
from shared.backups.requests import BackupRequest, HandedOn
from shared.backups.retrying import Retrying
from shared.backups.selection import Selector
from shared.backups.waiting import Waiting
from tests.fakes import FakeClock, FakeInstances, FakeTopic, Steady


ALL = Selector(name="*")
NAMES = EventNames("nightly", "a" * 32)
REQUEST = BackupRequest(select=ALL, description="for the night", min_interval="1h")


def fleet(*instances: Instance, faults: list[CloudError] | None = None) -> tuple[Fleet, FakeInstances]:
    clock = FakeClock()
    known = FakeInstances(list(instances), faults or [])
    return Fleet(known, Retrying(Waiting(clock, lambda: 60.0), Pace(clock, Steady()), Steady())), known


def test_normal_instances_are_chosen_and_others_skipped_with_their_status() -> None:
    """Only a normal instance can be backed up."""
    whole, _ = fleet(Instance("2", "b"), Instance("1", "a", status="frozen"), Instance("3", "c", status="creating"))

    selection = whole.select(ALL)

    assert selection.instances == ("2",)
    assert [(s.instance_id, s.outcome, s.code) for s in selection.skipped] == [
        ("1", Outcome.SKIPPED, "instance_status"),
        ("3", Outcome.SKIPPED, "instance_status"),
    ]
    assert "frozen" in str(selection.skipped[0].message)


def test_a_selector_that_chooses_nothing_is_an_error() -> None:
    """A slip of the pen must not look like a quiet night."""
    whole, _ = fleet(Instance("1", "a"))

    with pytest.raises(EmptySelectionError, match="none of the project's 1 instances"):
        whole.select(Selector(name="b*"))


def test_one_list_serves_all_requests_of_an_event() -> None:
    """However many selectors it has."""
    whole, known = fleet(Instance("1", "a"))
    whole.select(ALL)
    known.known = []

    assert whole.select(ALL).instances == ("1",)


def test_a_list_that_fails_is_repeated_and_then_given_up() -> None:
    """A hiccup is survived, a refusal is not."""
    assert fleet(Instance("1", "a"), faults=[TransientError("503")] * 4)[0].select(ALL).instances == ("1",)
    with pytest.raises(DeniedError):
        fleet(Instance("1", "a"), faults=[DeniedError("no")])[0].select(ALL)


def fan_out(topic: FakeTopic, size: int = 2) -> FanOut:
    clock = FakeClock()
    sender = Sender("urn:fss:x", "cn-north-4", "p", "r")
    return FanOut(
        Announcer(topic, Retrying(Waiting(clock, lambda: 60.0), Pace(clock, Steady()), Steady()), sender), size
    )


def test_instances_are_handed_on_in_portions_with_their_names() -> None:
    """What another invocation needs to make the very same backups."""
    topic = FakeTopic()

    taken = fan_out(topic).hand_on(REQUEST, NAMES, ["1", "2", "3"])

    assert taken == ["1", "2", "3"]
    requests = [BackupRequest.model_validate_json(note.body) for note in topic.sent]
    assert [request.instance_ids for request in requests] == [("1", "2"), ("3",)]
    for request in requests:
        assert request.handed_on == HandedOn(stem=NAMES.stem, key=NAMES.key, exact=False, hops=1)
        assert request.wanted_description == "for the night"
        assert request.min_interval == REQUEST.min_interval


def test_what_the_topic_does_not_take_is_not_handed_on() -> None:
    """The first portion fails for good, the second is taken."""
    topic = FakeTopic(faults=[DeniedError("no")])

    assert fan_out(topic).hand_on(REQUEST, NAMES, ["1", "2", "3"]) == ["3"]


def test_hops_are_counted_and_end() -> None:
    """An instance that is busy for ever must not go round for ever."""
    request = REQUEST
    topic = FakeTopic()
    hops = 0
    while FanOut.may_go_on(request):
        fan_out(topic).hand_on(request, NAMES, ["1"])
        request = BackupRequest.model_validate_json(topic.sent[-1].body)
        hops += 1

    assert hops == MOST_HOPS
    assert json.loads(topic.sent[-1].body)["handed_on"]["hops"] == MOST_HOPS


@pytest.mark.parametrize(("size", "instances", "needed"), [(2, "12", False), (2, "123", True)])
def test_when_it_is_needed(size: int, instances: str, *, needed: bool) -> None:
    """Above the size, not at it."""
    assert fan_out(FakeTopic(), size).is_needed_for(list(instances)) is needed
