"""The same sample is the same event, and ``ddsbackup event --help`` says how to make a new one."""

from collections.abc import Callable
from typing import Any

import pytest

from cli.cloud import Cloud, open_cloud
from cli.demo.delivery import deliver
from cli.function_spec import function_spec
from cli.paths import CHECKOUT
from cli.samples import sample_event
from cli.settings import function_settings
from cli.template.load import find_function, load_template
from localcloud import LocalCloud
from localcloud.functiongraph.runtime.instance import Instance


RECIPES = {
    "timer": ["time=2026-06-02T02:00:00+08:00"],
    "smn": ["record.0.smn.message_id=new-0", "record.1.smn.message_id=new-1"],
    "kafka": ["idempotency_key=new"],
    "opensource-kafka": ["idempotency_key=new"],
    "rabbitmq": ["idempotency_key=new"],
    "rocketmq": ["idempotency_key=new"],
    "eventgrid": ["id=new"],
    "apig": ["headers.idempotency-key=new"],
    "direct": ["idempotency_key=new", "name=by-hand-2"],
    "api-page": ["name=mybackup2"],
}


def test_recipes_are_those_of_the_help(ddsbackup: Callable[..., Any]) -> None:
    """Every key that makes a new event is in the help."""
    help_text = ddsbackup("event", "--help").out
    keys = {change.partition("=")[0] for changes in RECIPES.values() for change in changes}
    assert all(f"--set {key}=" in help_text for key in keys - {"record.1.smn.message_id"})


@pytest.mark.parametrize("trigger", RECIPES)
def test_new_event_of_a_sample(trigger: str, cloud: LocalCloud) -> None:
    """A sample makes backups once; changed as the help says, it makes others."""
    template = load_template(CHECKOUT / "template.yaml")
    function = find_function(template, "create_backup")
    with open_cloud(cloud.url) as local:
        settings = function_settings(function, template.topics, local.connection, {})
        with Instance(function_spec(function), settings, local.connection.project_id) as instance:
            outcomes = [outcomes_of(local, instance, trigger, changes) for changes in ([], [], RECIPES[trigger])]
    again = "FAILED" if trigger == "api-page" else "ALREADY_EXISTS"  # nothing identifies the body of the API page
    assert outcomes == [{"CREATED"}, {again}, {"CREATED"}]


def outcomes_of(cloud: Cloud, instance: Instance, trigger: str, changes: list[str]) -> set[str]:
    delivery = deliver(cloud, instance, trigger, sample_event(trigger, changes))
    cloud.advance(3600)
    return {result["outcome"] for result in delivery.results}
