"""Triggers of every type in the Terraform configuration."""

import json
from typing import Any

import pytest

from cli.paths import CHECKOUT
from cli.template.checks import schema_problems
from cli.terraform.resources import ALWAYS_ON
from tests.terraform.templates import EVENTS, Make, bodies, everything, function, values


SCHEMA = json.loads((CHECKOUT / "template.schema.json").read_text(encoding="utf-8"))


def test_every_type_is_covered() -> None:
    """The triggers of these tests have all types of the template's schema."""
    assert {event["Type"] for event in EVENTS.values()} == set(SCHEMA["$defs"]["event"]["properties"]["Type"]["enum"])


@pytest.mark.parametrize("name", EVENTS)
def test_trigger(make: Make, name: str) -> None:
    """A trigger belongs to its function, has a JSON text as its configuration, and follows the function's settings."""
    made = make()
    trigger = bodies(made, "fgs_function_trigger")[f"worker_{_snake(name)}"]
    assert trigger["function_urn"] == "${huaweicloud_fgs_function.worker.urn}"
    assert trigger["type"] == EVENTS[name]["Type"]
    assert trigger["event_data"] == f"${{jsonencode(local.event_data.worker_{_snake(name)})}}"
    assert trigger["depends_on"] == ["huaweicloud_fgs_async_invoke_configuration.worker"]


@pytest.mark.parametrize("name", EVENTS)
def test_configuration_of_a_trigger(make: Make, name: str) -> None:
    """The fields are those of the template, with references and the timer's name filled in."""
    named = {"name": name} if EVENTS[name]["Type"] == "TIMER" else {}
    expected = json.dumps(named | EVENTS[name]["Properties"])
    for reference, expression in (
        ("Id", "var.id"),
        ("KafkaPassword", "var.kafka_password"),
        ("Requests", "huaweicloud_smn_topic.requests.topic_urn"),
    ):
        expected = expected.replace(f"${{{reference}}}", f"${{{expression}}}")
    assert values(make())["event_data"][f"worker_{_snake(name)}"] == json.loads(expected)


def test_status(make: Make) -> None:
    """Triggers that cannot be disabled have no status. The others have the template's."""
    triggers = bodies(make(), "fgs_function_trigger")
    assert {name: trigger.get("status") for name, trigger in triggers.items()} == {
        "worker_timer": "ACTIVE",
        "worker_off": "DISABLED",
        "worker_topic": None,
        "worker_kafka": "ACTIVE",
        "worker_open_kafka": "DISABLED",
        "worker_rabbit": "ACTIVE",
        "worker_grid": None,
        "worker_gateway": None,
        "worker_shared": None,
    }


def test_the_status_of_a_new_trigger_is_set(make: Make) -> None:
    """If FunctionGraph creates a trigger in the other state, a separate resource sets its status."""
    actions = bodies(make(), "fgs_function_trigger_status_action")
    assert {name: action["trigger_status"] for name, action in actions.items()} == {
        "worker_off": "DISABLED",
        "worker_kafka": "ACTIVE",
    }
    assert actions["worker_kafka"] == {
        "function_urn": "${huaweicloud_fgs_function.worker.urn}",
        "trigger_type_code": "KAFKA",
        "trigger_id": "${huaweicloud_fgs_function_trigger.worker_kafka.id}",
        "trigger_status": "ACTIVE",
        "event_data": "${jsonencode(local.event_data.worker_kafka)}",
    }


def test_a_timer_may_have_another_name(make: Make) -> None:
    """The name in the properties overrides the key under Events."""
    template = everything()
    template["Resources"]["Helper"] = function() | {
        "Events": {
            "Tick": {"Type": "TIMER", "Properties": {"name": "nightly", "schedule_type": "Rate", "schedule": "1d"}}
        }
    }
    made = make(template)
    assert values(made)["event_data"]["helper_tick"]["name"] == "nightly"
    assert "depends_on" not in bodies(made, "fgs_function_trigger")["helper_tick"]


def test_an_eventgrid_trigger(make: Make) -> None:
    """It deletes its subscription with it, and fields that FunctionGraph does not return are not a change."""
    trigger = bodies(make(), "fgs_function_trigger")["worker_grid"]
    assert trigger["cascade_delete_eg_subscription"] is True
    assert trigger["lifecycle"] == {"ignore_changes": ["event_data"]}


@pytest.mark.parametrize("kind", sorted(ALWAYS_ON))
def test_triggers_that_cannot_be_disabled(kind: str) -> None:
    """The template's schema rejects the status DISABLED."""
    (event,) = [event for event in EVENTS.values() if event["Type"] == kind]
    template: dict[str, Any] = {"Resources": {"F": function() | {"Events": {"E": event | {"Status": "DISABLED"}}}}}
    (problem,) = schema_problems(template)
    assert problem.path[-1] == "Status"


def _snake(name: str) -> str:
    return {"OpenKafka": "open_kafka"}.get(name, name.lower())
