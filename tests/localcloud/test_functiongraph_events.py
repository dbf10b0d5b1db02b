"""Asynchronous delivery: invocations, messages, retries, destinations."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huaweicloudsdkfunctiongraph.v2 as sdk
import huaweicloudsdksmn.v2 as smn_sdk
import pytest

from localcloud import LocalCloud
from tests.localcloud.functions import NO_DATEUTIL, async_config, invoke, new_function, new_trigger, package, until


pytestmark = NO_DATEUTIL
FAILING = "def handler(event, context):\n    raise ValueError('no such luck')\n"


@pytest.fixture
def topic(cloud: LocalCloud) -> str:
    """The topic of the seed."""
    return str(cloud.connection()["topic_urn"])


@pytest.fixture
def made(functiongraph: Any) -> Callable[..., str]:
    """Create a function, optionally with an asynchronous configuration. Returns its URN."""

    def make(source: str | None = None, name: str = "hello", **configuration: Any) -> str:
        content = package() if source is None else package(source)
        urn = str(functiongraph.create_function(new_function(name, content)).func_urn)
        if configuration:
            functiongraph.update_function_async_invoke_config(async_config(urn, **configuration))
        return urn

    return make


def ended(cloud: LocalCloud, number: int) -> list[Any]:
    """Wait for this many invocations and return them."""
    until(lambda: len(cloud.invocations()) >= number)
    return cloud.invocations()


def publish(smn: Any, topic: str, **message: Any) -> str:
    """Publish a message. Returns its id."""
    request = smn_sdk.PublishMessageRequest(topic_urn=topic, body=smn_sdk.PublishMessageRequestBody(**message))
    return str(smn.publish_message(request).message_id)


def test_async_invocation(cloud: LocalCloud, made: Callable[..., str]) -> None:
    """The response is 202 with the request id of the later invocation."""
    answer = invoke(cloud, made(), {"name": "you"}, "invocations-async")
    [invocation] = ended(cloud, 1)

    assert answer.status == 202
    assert invocation["request_id"] == answer.json["request_id"]
    assert (invocation["source"], invocation["result"]) == ("AsyncInvokeFunction", {"hello": "you"})
    assert (invocation["attempt"], invocation["destination"]) == (1, None)


def test_a_message_reaches_the_function(
    cloud: LocalCloud, functiongraph: Any, smn: Any, topic: str, made: Callable[..., str]
) -> None:
    """An SMN message arrives as the documented event, with its id, subject and attributes."""
    urn = made("def handler(event, context):\n    return event\n")
    functiongraph.create_function_trigger(new_trigger(urn, "SMN", topic_urn=topic))
    attribute = smn_sdk.MessageAttribute(name="kind", type="STRING", value="nightly")
    message_id = publish(smn, topic, subject="a subject", message='{"a": 1}', message_attributes=[attribute])
    [invocation] = ended(cloud, 1)
    [record] = invocation["event"]["record"]

    assert invocation["source"] == "SMN"
    assert (record["event_source"], record["event_version"], record["event_subscription_urn"]) == ("smn", "1.0", urn)
    assert {name: record["smn"][name] for name in ("topic_urn", "message_id", "subject", "message", "type")} == {
        "topic_urn": topic,
        "message_id": message_id,
        "subject": "a subject",
        "message": '{"a": 1}',
        "type": "notification",
    }
    assert record["smn"]["message_attributes"] == {"kind": {"Type": "STRING", "Value": "nightly"}}
    assert invocation["result"] == invocation["event"]


def test_a_message_without_a_trigger(
    cloud: LocalCloud, functiongraph: Any, smn: Any, topic: str, made: Callable[..., str]
) -> None:
    """A message invokes only functions with a trigger for its topic."""
    with_trigger, _ = made(), made(name="other")
    functiongraph.create_function_trigger(new_trigger(with_trigger, "SMN", topic_urn=topic))
    publish(smn, topic, message="hello")

    assert [one["function_urn"] for one in ended(cloud, 1)] == [with_trigger]
    assert [function["waiting"] for function in cloud.functions()] == [0, 0]


def test_a_subscription_is_not_a_trigger(
    cloud: LocalCloud, functiongraph: Any, smn: Any, topic: str, made: Callable[..., str]
) -> None:
    """Subscribing a function through SMN does not invoke it: that takes an SMN trigger."""
    urn = made()
    timer = {"name": "a-timer", "schedule_type": "Rate", "schedule": "30d"}
    functiongraph.create_function_trigger(new_trigger(urn, "TIMER", **timer))
    body = smn_sdk.AddSubscriptionRequestBody(protocol="functionstage", endpoint=urn)
    smn.add_subscription(smn_sdk.AddSubscriptionRequest(topic_urn=topic, body=body))
    publish(smn, topic, message="hello")

    assert urn in {one["endpoint"] for one in cloud.messages()[0]["deliveries"]}
    assert (cloud.functions()[0]["waiting"], cloud.invocations()) == (0, [])


def test_no_retries_by_default(cloud: LocalCloud, made: Callable[..., str]) -> None:
    """Without an asynchronous configuration a failed event is not retried."""
    invoke(cloud, made(FAILING), {}, "invocations-async")
    ended(cloud, 1)
    cloud.advance(3000)

    assert len(cloud.invocations()) == 1
    assert cloud.functions()[0]["waiting"] == 0


def test_retries(cloud: LocalCloud, topic: str, made: Callable[..., str]) -> None:
    """A failed event is retried as configured with the same request id, and the destination gets the last failure."""
    urn = made(FAILING, retries=2, on_failure=("SMN", {"topic_urn": topic}))
    request_id = invoke(cloud, urn, {"a": 1}, "invocations-async").json["request_id"]
    for attempt in (1, 2, 3):
        ended(cloud, attempt)
        assert len(cloud.messages()) == (attempt == 3)
        cloud.advance(45)
        assert len(cloud.invocations()) == attempt
        cloud.advance(20)
    cloud.advance(3000)
    invocations = ended(cloud, 3)

    assert [(one["request_id"], one["attempt"], one["ok"]) for one in invocations] == [
        (request_id, attempt, False) for attempt in (1, 2, 3)
    ]
    [message] = cloud.messages()
    told = json.loads(message["message"])
    assert told == invocations[2]["destination"]["payload"]
    assert told["request_context"] == {
        "request_id": request_id,
        "function_urn": urn,
        "condition": "",
        "approximate_invoke_count": 3,
    }
    assert json.loads(told["request_payload"]) == {"a": 1}
    assert told["response_context"] == {"status_code": 500, "function_error": "no such luck"}


def test_a_retry_that_succeeds(cloud: LocalCloud, topic: str, made: Callable[..., str], tmp_path: Path) -> None:
    """A successful retry is the last one, and the success destination gets the function's result."""
    source = """
        from pathlib import Path
        def handler(event, context):
            file = Path(event["file"])
            if file.exists():
                return "well done"
            file.touch()
            raise ValueError("at first")
        """
    success = ("SMN", {"topic_urn": topic})
    urn = made(source, retries=3, on_success=success, on_failure=("OBS", {"bucket": "a-bucket"}))
    invoke(cloud, urn, {"file": str(tmp_path / "file")}, "invocations-async")
    ended(cloud, 1)
    cloud.advance(60)
    ended(cloud, 2)
    cloud.advance(3000)

    assert [one["ok"] for one in cloud.invocations()] == [False, True]
    [message] = cloud.messages()
    assert json.loads(message["message"])["response_payload"] == "well done"


def test_no_retry_of_an_event_that_is_too_old(cloud: LocalCloud, made: Callable[..., str]) -> None:
    """No retry starts after the maximum event age."""
    invoke(cloud, made(FAILING, retries=3, age=110), {}, "invocations-async")
    ended(cloud, 1)
    cloud.advance(80)
    ended(cloud, 2)
    cloud.advance(3000)

    assert len(cloud.invocations()) == 2
    assert cloud.functions()[0]["waiting"] == 0


def test_a_function_as_destination(cloud: LocalCloud, made: Callable[..., str]) -> None:
    """A function as destination gets the result as its event."""
    listener = made("def handler(event, context):\n    return event['response_payload']\n", "listener")
    urn = made(on_success=("FunctionGraph", {"func_urn": listener}))
    invoke(cloud, urn, {"name": "you"}, "invocations-async")
    _, heard = ended(cloud, 2)

    assert (heard["function_urn"], heard["source"]) == (listener, "Destination")
    assert json.loads(heard["result"]) == {"hello": "you"}


@pytest.mark.parametrize(
    ("destination", "error"),
    [
        (("SMN", {"topic_urn": "urn:smn:cn-north-4:6e1f0c2bb77b5b3f8f2e6c555d0e8f5d:none"}), "SMN.0006"),
        (("FunctionGraph", {"func_urn": "urn:fss:x:y:function:default:none"}), "FSS.1051"),
        (("OBS", {"bucket": "a-bucket"}), None),
    ],
)
def test_an_unreachable_destination(
    cloud: LocalCloud, made: Callable[..., str], destination: tuple[str, dict[str, Any]], error: str | None
) -> None:
    """The invocation records an unreachable destination. OBS does not exist here, so it is no error."""
    invoke(cloud, made(on_success=destination), {}, "invocations-async")
    ended(cloud, 1)
    told = until(lambda: cloud.invocations()[0]["destination"])

    assert (told["destination"], told["param"]) == destination
    assert told["error"] is None if error is None else told["error"].startswith(error)


def test_a_deleted_function_gets_nothing(cloud: LocalCloud, functiongraph: Any, made: Callable[..., str]) -> None:
    """Deleting a function drops its pending events, also for a later function of that name."""
    urn = made(FAILING, retries=3)
    invoke(cloud, urn, {}, "invocations-async")
    ended(cloud, 1)
    functiongraph.delete_function(sdk.DeleteFunctionRequest(function_urn=urn.removesuffix(":latest")))
    again = made(FAILING, retries=3)
    cloud.advance(3000)

    assert again == urn
    assert (len(cloud.invocations()), cloud.functions()[0]["waiting"]) == (1, 0)
