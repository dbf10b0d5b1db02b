"""The sample events and changes to them."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.errors import WrongCall
from cli.event.samples import CARRIERS, request_fields, requests_of, sample_event
from cli.json_value import Json
from cli.paths import CHECKOUT
from localcloud import LocalCloud
from shared.create.request import BackupRequest


every_trigger = pytest.mark.parametrize("trigger", CARRIERS)

KEYS = {
    "timer": "version time trigger_type trigger_name user_event",
    "smn": "record functionname requestId timestamp",
    "kafka": "event_version event_time trigger_type region instance_id records",
    "opensource-kafka": "event_version event_time trigger_type region instance_id records",
    "rabbitmq": "event_version event_time trigger_type region records",
    "rocketmq": "event_version event_time trigger_type region instance_id records",
    "eventgrid": "datacontenttype data subject specversion id source time type",
    "apig": "requestContext headers httpMethod pathParameters queryStringParameters body isBase64Encoded path",
}
"""The keys of the console's templates and, for apig, of a captured request (reference of the triggers)."""


def test_a_file_for_every_trigger() -> None:
    """Each trigger has a file, each file belongs to a trigger or to another function, and README.md describes each."""
    files = {file.stem for file in (CHECKOUT / "events").glob("*.json")}
    assert {name for name in files if not name.partition("-")[0].endswith("_backups")} == set(CARRIERS)
    text = (CHECKOUT / "events" / "README.md").read_text()
    assert all(f"`{name}.json`" in text for name in files)


@pytest.mark.parametrize("trigger", KEYS)
def test_shape(trigger: str) -> None:
    """An event has exactly the keys that the platform delivers."""
    assert set(sample_event(trigger)) == set(KEYS[trigger].split())


def test_body_of_the_api_page() -> None:
    """The sample is the example request (DDS API, Creating a Manual Backup), to the letter."""
    assert sample_event("api-page") == {
        "backup": {
            "instance_id": "a89dab5e39394eccbdb77b19d57b0180in02",
            "name": "mybackup1",
            "description": "The first Manual backup",
        }
    }


@every_trigger
def test_instances_are_those_of_the_local_cloud(trigger: str, cloud: LocalCloud) -> None:
    """The local cloud can back up every instance that a sample names."""
    known = set(cloud.connection()["instance_ids"])
    for request in requests_of(trigger, sample_event(trigger)):
        named: Any = request.get("backup", request)
        ids = named.get("instance_ids") or [named["instance_id"]]
        assert set(ids) <= known


def test_fields_of_the_request_are_those_of_the_function() -> None:
    """--set knows exactly the fields that the function knows."""
    assert set(request_fields("create_backup")) == set(BackupRequest.model_fields)


@every_trigger
def test_requests_are_valid(trigger: str) -> None:
    """The function accepts the requests in all samples."""
    for request in requests_of(trigger, sample_event(trigger)):
        assert BackupRequest.model_validate(request).instances


@every_trigger
@given(name=st.text(min_size=1), number=st.integers())
def test_fields_of_the_request_are_set_wherever_they_are_carried(trigger: str, name: str, number: int) -> None:
    """A field is set in every request of an event, in any encoding, and nothing else changes."""
    changed = sample_event(trigger, [f"name={json.dumps(name)}", f"min_interval={number}"])
    for before, after in zip(requests_of(trigger, sample_event(trigger)), requests_of(trigger, changed), strict=True):
        if "backup" in before:
            before["backup"] = {**dict_of(before["backup"]), "name": name}
        else:
            before["name"] = name
        assert after == {**before, "min_interval": number}


def dict_of(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict)
    return value


@every_trigger
@pytest.mark.parametrize("change", ["instance_id=X", 'instance_ids=["X"]'])
def test_instances_are_replaced(trigger: str, change: str) -> None:
    """instance_id and instance_ids replace each other. The body of the DDS API has only the former."""
    for request in requests_of(trigger, sample_event(trigger, [change])):
        inner: Any = request.get("backup", request)
        assert [inner.get("instance_id"), inner.get("instance_ids")] in (["X", None], [None, ["X"]])
        assert request.keys() <= {"backup"} or "backup" not in request


@every_trigger
def test_backup_replaces_the_request(trigger: str) -> None:
    """A field of backup turns any request into the body of the DDS API."""
    changes = ["backup.instance_id=X", "backup.name=mine"]
    for request in requests_of(trigger, sample_event(trigger, changes)):
        assert set(request) == {"backup"}
        assert {"instance_id": "X", "name": "mine"}.items() <= dict_of(request["backup"]).items()


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ('"5"', "5"), ("true", True), ("null", None), ("nightly", "nightly"), ("a=b", "a=b"), ("", "")],
)
def test_values(text: str, value: Json) -> None:
    """A value that is not valid JSON is text."""
    assert sample_event("direct", [f"description={text}"])["description"] == value


def test_paths_into_the_envelope() -> None:
    """Any other key is a dotted path, which may have list positions."""
    event: Any = sample_event("smn", ["record.1.smn.message_id=abc", "record.0.event_source=other"])
    assert event["record"][1]["smn"]["message_id"] == "abc"
    assert event["record"][0]["event_source"] == "other"


def test_list_positions_of_the_request() -> None:
    """A path into the request may have them too."""
    (request,) = requests_of("timer", sample_event("timer", ["instance_ids.1=X"]))
    ids: Any = request["instance_ids"]
    assert (len(ids), ids[1]) == (2, "X")


def test_base64_stays_base64() -> None:
    """The body for the API gateway is encoded again."""
    event = sample_event("apig", ["name=nächtlich"])
    assert json.loads(base64.b64decode(str(event["body"])))["name"] == "nächtlich"


@pytest.mark.parametrize(
    ("trigger", "changes", "message"),
    [
        (
            "timer",
            ["trigger_nam=x"],
            "the event has version, time, trigger_type, trigger_name, user_event, and the request may have backup, ",
        ),
        ("smn", ["record.2.smn.message_id=x"], "cannot set record.2.smn.message_id: record has 0, 1."),
        ("smn", ["record.0.smn.messge_id=x"], "did you mean 'message_id'?"),
        ("timer", ["time.zone=x"], "cannot set time.zone: time has no keys"),
        ("timer", ["instance_ids.2=x"], "cannot set instance_ids.2: instance_ids has 0, 1."),
        ("timer", ["name"], "found --set name, expected KEY=VALUE"),
        ("timer", ["=x"], "found --set =x, expected KEY=VALUE"),
        ("timer", ["user_event=hello", "name=x"], "user_event is not JSON"),
        ("timer", ["user_event='[1]'", "name=x"], "user_event is not JSON"),
        ("timer", ['user_event="[1]"', "name=x"], "user_event is not a JSON object"),
        ("apig", ["body=%%%", "name=x"], "body is not JSON"),
        ("eventgrid", ["data=5", "name=x"], "data is not a JSON object"),
        ("timer", ["name=\udcff"], "is not UTF-8 text"),
    ],
)
def test_change_that_cannot_be_made(trigger: str, changes: list[str], message: str) -> None:
    """The message says what the event has instead."""
    with pytest.raises(WrongCall) as error:
        sample_event(trigger, changes)
    assert message in error.value.message


def test_a_selector_replaces_the_named_instances() -> None:
    """A request names its instances in one way."""
    assert sample_event("direct", ['select={"name": "orders-*"}', "name=fleet"]) == {
        "select": {"name": "orders-*"},
        "name": "fleet",
    } | {k: v for k, v in sample_event("direct", []).items() if k not in {"instance_ids", "instance_id", "name"}}
