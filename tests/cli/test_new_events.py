"""A sample is always the same event, and ``ddsbackup event --help`` says how to change it into a new one."""

from collections.abc import Callable
from typing import Any

from cli.cloud import Cloud, open_cloud
from cli.demo.scenario import deliver
from cli.event import sample_event
from cli.functions import function_settings, function_spec
from cli.paths import CHECKOUT
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
    """The help has every key that makes a new event."""
    help_text = ddsbackup("event", "--help").out
    keys = {change.partition("=")[0] for changes in RECIPES.values() for change in changes}
    assert all(f"--set {key}=" in help_text for key in keys - {"record.1.smn.message_id"})


def test_new_events_of_all_samples(cloud: LocalCloud) -> None:
    """A sample creates backups once. Changed as the help says, it creates new ones."""
    template = load_template(CHECKOUT / "template.yaml")
    function = find_function(template, "create_backup")
    with open_cloud(cloud.url) as local:
        settings = function_settings(function, template.topics, local.connection, {})
        with Instance(function_spec(function), settings, local.connection.project_id) as instance:
            outcomes = {
                trigger: [outcomes_of(local, instance, trigger, changes) for changes in ([], [], RECIPES[trigger])]
                for trigger in RECIPES
            }
    expected = {trigger: [{"CREATED"}, {"ALREADY_EXISTS"}, {"CREATED"}] for trigger in RECIPES}
    expected["api-page"] = [{"CREATED"}, {"FAILED"}, {"CREATED"}]  # nothing identifies this event
    assert outcomes == expected


def outcomes_of(cloud: Cloud, instance: Instance, trigger: str, changes: list[str]) -> set[str]:
    delivery = deliver(cloud, instance, trigger, sample_event(trigger, changes))
    cloud.advance(3600)
    return {result["outcome"] for result in delivery.results}
