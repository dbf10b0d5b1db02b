"""``ddsbackup event FUNCTION TRIGGER``: samples for all functions, and their times."""

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.event.samples import CARRIERS, requests_of, sample_event
from cli.paths import CHECKOUT
from cli.preflight.functions import FUNCTIONS
from shared.triggers.receive import Received, receive


Run = Callable[..., Any]
OTHERS = sorted(set(FUNCTIONS) - {"create_backup"})
TRIGGERS = [trigger for trigger in CARRIERS if trigger != "api-page"]
every_function = pytest.mark.parametrize("function", OTHERS)
every_trigger = pytest.mark.parametrize("trigger", TRIGGERS)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001


def received(function: str, event: object) -> Received[Any]:
    """What the function makes of an event."""
    return receive(event, FUNCTIONS[function].request, request_id="test")


@every_function
@every_trigger
def test_every_function_accepts_its_sample_of_every_trigger(function: str, trigger: str) -> None:
    """It has one valid request, and nothing of another function."""
    sample = sample_event(trigger, function=function)
    got = received(function, sample)

    assert (len(got.requests), list(got.rejected)) == (1, [])
    assert "create_backup" not in json.dumps(sample)


@every_function
@pytest.mark.parametrize("trigger", ["timer", "direct"])
def test_the_sample_is_the_file(ddsbackup: Run, function: str, trigger: str) -> None:
    """Without options the output is the file."""
    expected = json.loads((CHECKOUT / "events" / f"{function}-{trigger}.json").read_text())
    assert ddsbackup("event", function, trigger).json == expected


@pytest.mark.parametrize("trigger", CARRIERS)
@settings(max_examples=10)
@given(moment=moments)
def test_a_moment_makes_a_valid_event_that_is_the_same_again(trigger: str, moment: datetime) -> None:
    """create_backup accepts it, and it is identified by the moment alone."""
    first, again = (sample_event(trigger, moment=moment) for _ in range(2))
    got = received("create_backup", first)

    assert first == again
    assert not got.rejected
    assert all(one.time in (None, moment.replace(microsecond=0)) for one in got.requests)


@pytest.mark.parametrize("trigger", ["timer", "smn", "opensource-kafka", "rabbitmq", "rocketmq", "eventgrid"])
def test_the_time_of_the_envelope_is_the_moment(trigger: str) -> None:
    """Every trigger that delivers a time has that one. The sample of Kafka has a key, which takes precedence."""
    moment = datetime(2026, 7, 1, 12, 30, tzinfo=timezone.utc)
    assert {one.time for one in received("create_backup", sample_event(trigger, moment=moment)).requests} == {moment}


def test_the_text_of_smn_has_the_moment_too() -> None:
    """The time of the whole event is in the form of the console's template."""
    moment = datetime(2026, 7, 1, 12, 30, tzinfo=timezone.utc)
    assert sample_event("smn", moment=moment)["timestamp"] == "Wed Jul 01 2026 20:30:00 GMT+0800 (CST)"


def test_at_and_now(ddsbackup: Run) -> None:
    """--at takes a time with a zone. --now is the time of the machine."""
    before = datetime.now(timezone.utc).replace(microsecond=0)
    now = ddsbackup("event", "prune_backups", "timer", "--now").json["time"]
    assert before <= datetime.fromisoformat(now.replace("Z", "+00:00")) <= datetime.now(timezone.utc)
    at = ddsbackup("event", "prune_backups", "timer", "--at", "2026-07-01T02:00:00+02:00")
    assert at.json["time"] == "2026-07-01T00:00:00Z"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prune_backup", "timer"], "there are no sample events of 'prune_backup', did you mean 'prune_backups'?"),
        (["prune_backups"], "found prune_backups without a trigger, expected one of timer, "),
        (["prune_backups", "timr"], "there is no trigger 'timr', did you mean 'timer'?"),
        (["prune_backups", "api-page"], "only create_backup takes: choose another trigger"),
        (["prune_backups", "timer", "more"], "found 3 words, expected [FUNCTION] TRIGGER"),
        ([], "Missing argument '[FUNCTION] TRIGGER"),
        (["timer", "--at", "2026-07-01T02:00:00"], "expected a time with a zone"),
        (["timer", "--at", "today"], "found 'today', expected a time with a zone"),
        (["timer", "--now", "--at", "2026-07-01T02:00:00Z"], "give either --now or --at"),
        (["prune_backups", "timer", "--set", "dry_rum=true"], "did you mean 'dry_run'?"),
        (["audit_backups", "timer", "--set", "instance_ids=[]"], "the request may have policies, covered_elsewhere"),
    ],
)
def test_wrong_call(ddsbackup: Run, arguments: list[str], message: str) -> None:
    """The exit status is 2, and the message says what is known."""
    ran = ddsbackup("event", *arguments)

    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err


@every_trigger
def test_the_fields_are_those_of_the_function(trigger: str) -> None:
    """A field of the function's request is set wherever the trigger carries the request, also into an empty one."""
    (request,) = requests_of(trigger, sample_event(trigger, ["force=true"], function="prune_backups"))
    assert request["force"] is True


@every_trigger
def test_questions_to_track_backups_replace_each_other(trigger: str) -> None:
    """A question asks about one thing."""
    sample = sample_event(trigger, ["job_id=4df77e62-a2a0-48cf-bee6-df51cd6ac68d"], function="track_backups")
    assert requests_of(trigger, sample) == [{"job_id": "4df77e62-a2a0-48cf-bee6-df51cd6ac68d"}]


def test_a_key_of_the_user_keeps_its_name() -> None:
    """With the same key, a later call sends the same event: the name of its backup follows from the key."""
    changes = ["idempotency_key=release-42"]
    first, later = (
        sample_event("direct", changes, moment=datetime(2026, 7, day, tzinfo=timezone.utc)) for day in (1, 2)
    )
    named = sample_event("direct", [*changes, "name=mine"], moment=datetime(2026, 7, 1, tzinfo=timezone.utc))

    assert first == later
    assert named["name"] == "mine"
