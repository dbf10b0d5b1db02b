"""Triggers and asynchronous configurations, as documented."""

import json
from typing import Any

import huaweicloudsdkfunctiongraph.v2 as sdk
import huaweicloudsdksmn.v2 as smn_sdk
import pytest

from localcloud import LocalCloud
from tests.localcloud.functions import NO_DATEUTIL, async_config, new_function, new_trigger, refused


pytestmark = NO_DATEUTIL
TIMER = {"name": "nightly", "schedule_type": "Cron", "schedule": "CRON_TZ=UTC 0 0 2 * * ?"}
KAFKA: dict[str, Any] = {"instance_id": "a-kafka", "topic_ids": ["orders"], "batch_size": 10}
RABBITMQ = {"instance_id": "a-rabbit", "exchange_name": "x", "access_password": "secret", "batch_size": 10}
GATEWAY = {
    "name": "backups",
    "type": 1,
    "path": "/backups",
    "protocol": "HTTPS",
    "req_method": "POST",
    "group_id": "a-group",
    "match_mode": "NORMAL",
    "env_name": "RELEASE",
    "env_id": "DEFAULT",
    "auth": "IAM",
    "func_info": {"timeout": 5000},
}


@pytest.fixture
def urn(functiongraph: Any) -> str:
    """A function for triggers."""
    vpc = sdk.FuncVpc(vpc_id="v-1", subnet_id="s-1")
    return str(functiongraph.create_function(new_function(func_vpc=vpc)).func_urn)


@pytest.fixture
def topic(cloud: LocalCloud) -> str:
    """The topic of the seed."""
    return str(cloud.connection()["topic_urn"])


def listed(functiongraph: Any, urn: str) -> list[Any]:
    """The triggers of a function."""
    found = functiongraph.list_function_triggers(sdk.ListFunctionTriggersRequest(function_urn=urn)).body
    return found or []  # the SDK takes an empty list for nothing


@pytest.mark.parametrize(
    ("kind", "data", "status"),
    [
        ("TIMER", TIMER, "ACTIVE"),
        ("KAFKA", KAFKA, "DISABLED"),
        ("RABBITMQ", RABBITMQ, "ACTIVE"),
        ("EVENTGRID", {"channel_id": "a-channel", "source_name": "orders"}, "ACTIVE"),
        ("DEDICATEDGATEWAY", GATEWAY, "ACTIVE"),
        ("OBS", {"bucket": "a-bucket", "events": ["Put"]}, "ACTIVE"),
    ],
)
def test_create(functiongraph: Any, urn: str, kind: str, data: dict[str, Any], status: str) -> None:
    """A trigger is ACTIVE, except for Kafka, and is shown as given but without its password."""
    created = functiongraph.create_function_trigger(new_trigger(urn, kind, **data))
    shown = functiongraph.show_function_trigger(
        sdk.ShowFunctionTriggerRequest(function_urn=urn, trigger_type_code=kind, trigger_id=created.trigger_id)
    )

    assert (created.trigger_type_code, created.trigger_status) == (kind, status)
    event_data = created.to_json_object()["event_data"]
    assert event_data == {name: value for name, value in data.items() if name != "access_password"}
    assert shown.to_json_object() == created.to_json_object()
    assert [trigger.trigger_id for trigger in listed(functiongraph, urn)] == [created.trigger_id]


def test_a_kafka_trigger_is_enabled(functiongraph: Any, urn: str) -> None:
    """A Kafka trigger can be created ACTIVE, disabled and enabled."""
    created = functiongraph.create_function_trigger(new_trigger(urn, "KAFKA", "ACTIVE", **KAFKA))
    assert created.trigger_status == "ACTIVE"
    for status in ("DISABLED", "ACTIVE"):
        change = sdk.UpdateTriggerRequest(
            function_urn=urn,
            trigger_type_code="KAFKA",
            trigger_id=created.trigger_id,
            body=sdk.UpdateTriggerRequestBody(trigger_status=status),
        )
        assert functiongraph.update_trigger(change).trigger_status == status


def test_update(functiongraph: Any, urn: str) -> None:
    """An update merges the given fields into the configuration."""
    data = {"stream_name": "a-stream", "polling_unit": "s"}
    created = functiongraph.create_function_trigger(new_trigger(urn, "DIS", **data))
    change = sdk.UpdateriggerEventData(polling_interval=30, polling_unit="ms")
    body = sdk.UpdateTriggerRequestBody(event_data=[change])
    changed = functiongraph.update_trigger(
        sdk.UpdateTriggerRequest(function_urn=urn, trigger_type_code="DIS", trigger_id=created.trigger_id, body=body)
    )

    event_data = changed.to_json_object()["event_data"]
    assert event_data == {"stream_name": "a-stream", "polling_unit": "ms", "polling_interval": 30}


@pytest.mark.parametrize(
    ("kind", "data", "error"),
    [
        ("NOTHING", {}, (400, "FSS.1101")),
        ("TIMER", {"name": "x"}, (400, "FSS.1109")),
        ("TIMER", TIMER | {"schedule_type": "Rate"}, (400, "FSS.1109")),
        ("TIMER", TIMER | {"schedule_type": "Rate", "schedule": "61m"}, (400, "FSS.1109")),
        ("TIMER", TIMER | {"schedule": "0 2 * * "}, (400, "FSS.1109")),
        ("TIMER", TIMER | {"schedule": "CRON_TZ=Nowhere/Land 0 0 2 * * ?"}, (400, "FSS.1109")),
        ("TIMER", TIMER | {"user_event": "x" * 2049}, (400, "FSS.1109")),
        ("SMN", {}, (400, "FSS.1102")),
        ("SMN", {"topic_urn": "urn:smn:cn-north-4:6e1f0c2bb77b5b3f8f2e6c555d0e8f5d:none"}, (404, "FSS.1171")),
        ("KAFKA", KAFKA | {"batch_size": 1001}, (400, "FSS.1112")),
        ("KAFKA", {"instance_id": "a-kafka", "batch_size": 1}, (400, "FSS.1112")),
        ("RABBITMQ", {"instance_id": "a-rabbit"}, (400, "FSS.0400")),
        ("DEDICATEDGATEWAY", {"path": "/"}, (400, "FSS.1417")),
    ],
)
def test_invalid_configurations(
    functiongraph: Any, urn: str, kind: str, data: dict[str, Any], error: tuple[int, str]
) -> None:
    """Each invalid configuration has the error of its type, and no trigger is created."""
    assert refused(functiongraph.create_function_trigger, new_trigger(urn, kind, **data)) == error
    assert listed(functiongraph, urn) == []


def test_kafka_requires_a_vpc(functiongraph: Any) -> None:
    """A Kafka trigger requires a function in a VPC, a timer does not."""
    urn = str(functiongraph.create_function(new_function()).func_urn)

    assert refused(functiongraph.create_function_trigger, new_trigger(urn, "KAFKA", **KAFKA)) == (400, "FSS.1114")
    assert functiongraph.create_function_trigger(new_trigger(urn, "TIMER", **TIMER)).trigger_status == "ACTIVE"


def test_duplicates(functiongraph: Any, urn: str, topic: str) -> None:
    """A second timer of a name, and a second trigger of an SMN topic or of Kafka topics are 409."""
    for kind, data, code in (
        ("TIMER", TIMER, "FSS.1148"),
        ("SMN", {"topic_urn": topic}, "FSS.1141"),
        ("KAFKA", KAFKA, "FSS.1150"),
    ):
        functiongraph.create_function_trigger(new_trigger(urn, kind, **data))
        assert refused(functiongraph.create_function_trigger, new_trigger(urn, kind, **data)) == (409, code)


def test_at_most_ten_triggers(functiongraph: Any, urn: str) -> None:
    """The eleventh trigger is refused."""
    for number in range(10):
        functiongraph.create_function_trigger(new_trigger(urn, "TIMER", **TIMER | {"name": f"t{number}"}))

    assert refused(functiongraph.create_function_trigger, new_trigger(urn, "TIMER", **TIMER)) == (400, "FSS.1306")


def test_triggers_that_are_always_active(functiongraph: Any, urn: str) -> None:
    """An API gateway trigger cannot be disabled."""
    request = new_trigger(urn, "DEDICATEDGATEWAY", "DISABLED", **GATEWAY)
    assert refused(functiongraph.create_function_trigger, request) == (400, "FSS.1318")


def test_delete(functiongraph: Any, urn: str) -> None:
    """Triggers are deleted one by one or all at once. An unknown one has the error of its type."""
    first, *_ = (
        functiongraph.create_function_trigger(new_trigger(urn, "TIMER", **TIMER | {"name": name})) for name in "abc"
    )

    def one(kind: str) -> Any:
        return sdk.DeleteFunctionTriggerRequest(function_urn=urn, trigger_type_code=kind, trigger_id=first.trigger_id)

    assert refused(functiongraph.delete_function_trigger, one("SMN")) == (404, "FSS.1132")
    functiongraph.delete_function_trigger(one("TIMER"))
    assert refused(functiongraph.delete_function_trigger, one("TIMER")) == (404, "FSS.1140")
    assert len(listed(functiongraph, urn)) == 2
    functiongraph.batch_delete_function_triggers(sdk.BatchDeleteFunctionTriggersRequest(function_urn=urn))
    assert listed(functiongraph, urn) == []


@pytest.mark.parametrize("way", ["trigger", "all triggers", "function"])
def test_an_smn_trigger_is_a_subscription(functiongraph: Any, smn: Any, urn: str, topic: str, way: str) -> None:
    """An SMN trigger is a confirmed subscription, which is deleted with the trigger or its function."""

    def subscribed() -> list[int]:
        found = smn.list_subscriptions_by_topic(smn_sdk.ListSubscriptionsByTopicRequest(topic_urn=topic))
        return [one.status for one in found.subscriptions if one.endpoint == urn]

    created = functiongraph.create_function_trigger(new_trigger(urn, "SMN", topic_urn=topic))
    assert subscribed() == [1]
    if way == "trigger":
        functiongraph.delete_function_trigger(
            sdk.DeleteFunctionTriggerRequest(function_urn=urn, trigger_type_code="SMN", trigger_id=created.trigger_id)
        )
    elif way == "all triggers":
        functiongraph.batch_delete_function_triggers(sdk.BatchDeleteFunctionTriggersRequest(function_urn=urn))
    else:
        functiongraph.delete_function(sdk.DeleteFunctionRequest(function_urn=urn.removesuffix(":latest")))
    assert subscribed() == []


def test_async_configuration(functiongraph: Any, urn: str, topic: str) -> None:
    """An asynchronous configuration can be set, shown, listed and deleted."""
    show = sdk.ShowFunctionAsyncInvokeConfigRequest(function_urn=urn)
    assert refused(functiongraph.show_function_async_invoke_config, show) == (404, "FSS.0404")
    put = functiongraph.update_function_async_invoke_config(
        async_config(urn, retries=3, age=60, on_failure=("SMN", {"topic_urn": topic}))
    )

    assert (put.max_async_retry_attempts, put.max_async_event_age_in_seconds) == (3, 60)
    assert json.loads(put.destination_config.on_failure.param) == {"topic_urn": topic}
    assert put.destination_config.on_success is None
    shown = functiongraph.show_function_async_invoke_config(show)
    assert shown.to_json_object() == put.to_json_object()
    found = functiongraph.list_function_async_invoke_config(sdk.ListFunctionAsyncInvokeConfigRequest(function_urn=urn))
    assert (found.count, found.page_info.current_count, found.async_invoke_configs[0].func_urn) == (1, 1, urn)
    functiongraph.delete_function_async_invoke_config(sdk.DeleteFunctionAsyncInvokeConfigRequest(function_urn=urn))
    assert refused(functiongraph.show_function_async_invoke_config, show) == (404, "FSS.0404")


def test_defaults_of_an_async_configuration(functiongraph: Any, urn: str) -> None:
    """The defaults are one retry and an hour."""
    request = sdk.UpdateFunctionAsyncInvokeConfigRequest(
        function_urn=urn, body=sdk.UpdateFunctionAsyncInvokeConfigRequestBody()
    )
    put = functiongraph.update_function_async_invoke_config(request)

    assert (put.max_async_retry_attempts, put.max_async_event_age_in_seconds) == (1, 3600)


@pytest.mark.parametrize(
    "wrong",
    [
        {"retries": 4},
        {"retries": -1},
        {"age": 0},
        {"age": 86_401},
        {"on_failure": ("SMN", {"topic": "x"})},
        {"on_failure": ("Mail", {"topic_urn": "x"})},
    ],
)
def test_invalid_async_configurations(functiongraph: Any, urn: str, wrong: dict[str, Any]) -> None:
    """Values out of range and invalid destinations are refused."""
    request = async_config(urn, **wrong)
    assert refused(functiongraph.update_function_async_invoke_config, request) == (400, "FSS.0400")
