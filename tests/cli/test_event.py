"""``ddsbackup event``, the help and the version."""

import json
from collections.abc import Callable
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

import pytest

from cli.cloud import Cloud, open_cloud
from cli.demo.scenario import deliver
from cli.event.samples import CARRIERS, sample_event
from cli.functions import function_settings, function_spec
from cli.main import main
from cli.paths import CHECKOUT
from cli.template.load import find_function, load_template
from localcloud import LocalCloud
from localcloud.functiongraph.runtime.instance import Instance


Run = Callable[..., Any]

MOMENTS = [datetime(2026, 7, 1, 12, 0, 0, tzinfo=timezone.utc), datetime(2026, 7, 1, 12, 0, 1, tzinfo=timezone.utc)]


@pytest.mark.parametrize("trigger", CARRIERS)
def test_sample_is_printed_as_it_is(ddsbackup: Run, trigger: str) -> None:
    """Without changes the output is the file, so the same command prints the same event."""
    ran = ddsbackup("event", trigger)
    assert (ran.status, ran.err) == (0, "")
    assert ran.json == json.loads((CHECKOUT / "events" / f"{trigger}.json").read_text())


def test_changes_are_made_in_order(ddsbackup: Run) -> None:
    """The later one of two changes of a key wins."""
    ran = ddsbackup("event", "timer", "--set", "trigger_name=A", "--set", "trigger_name=B", "--set", "name=monthly")
    assert ran.json["trigger_name"] == "B"
    assert json.loads(ran.json["user_event"])["name"] == "monthly"


def test_unknown_trigger(ddsbackup: Run) -> None:
    """The exit status is 2, and the message names the known triggers."""
    ran = ddsbackup("event", "cron")
    assert (ran.status, ran.out) == (2, "")
    assert all(trigger in ran.err for trigger in CARRIERS)


def test_wrong_change(ddsbackup: Run) -> None:
    """The exit status is 2, and the message is one line."""
    ran = ddsbackup("event", "timer", "--set", "trigger_nam=x")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert "did you mean 'trigger_name'?" in ran.err


def test_help_names_every_command(ddsbackup: Run) -> None:
    """--help lists the commands, and each has its own help."""
    help_text = ddsbackup("--help").out
    for command in main.commands:
        assert f"\n  {command} " in help_text
        assert ddsbackup(command, "--help").status == 0


def test_version(ddsbackup: Run) -> None:
    """--version prints the version of the installed package."""
    assert version("dds-backup") in ddsbackup("--version").out
    assert ddsbackup("-V").out == ddsbackup("--version").out


def test_help_of_event_names_every_trigger(ddsbackup: Run) -> None:
    """The names are not in the list of arguments."""
    help_text = ddsbackup("event", "--help").out
    assert all(trigger in help_text for trigger in CARRIERS)


def test_a_sample_at_another_time_is_a_new_event(cloud: LocalCloud) -> None:
    """A sample makes backups once. At another time it makes new ones, and at the same time it is a redelivery."""
    template = load_template(CHECKOUT / "template.yaml")
    function = find_function(template, "create_backup")
    with open_cloud(cloud.url) as local:
        settings = function_settings(function, template.topics, local.connection, {})
        with Instance(function_spec(function), settings, local.connection.project_id) as instance:
            outcomes = {
                trigger: [
                    outcomes_of(local, instance, trigger, moment) for moment in (None, None, *MOMENTS, MOMENTS[1])
                ]
                for trigger in CARRIERS
            }
    expected = {
        trigger: [{"CREATED"}, {"ALREADY_EXISTS"}, {"CREATED"}, {"CREATED"}, {"ALREADY_EXISTS"}] for trigger in CARRIERS
    }
    # nothing identifies this event but the name of its backup, which is taken the second time
    expected["api-page"] = [{"CREATED"}, {"FAILED"}, {"CREATED"}, {"CREATED"}, {"FAILED"}]
    assert outcomes == expected


def outcomes_of(cloud: Cloud, instance: Instance, trigger: str, moment: datetime | None) -> set[str]:
    delivery = deliver(cloud, instance, trigger, sample_event(trigger, moment=moment))
    cloud.advance(3600)
    return {result["outcome"] for result in delivery.results}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("[" * 2000, "it is nested too deeply"),
        ("[" * 985 + "]" * 985, "nested"),
        ("[" * 101 + "]" * 101, "nested more than 100 deep"),
        ("1" * 5000, "it has a number of too many digits"),
        ('"\\ud800"', "half a surrogate pair"),
    ],
)
def test_json_that_cannot_be_used(ddsbackup: Run, value: str, expected: str) -> None:
    """A value of --set that is JSON but cannot be used is an error, not a traceback."""
    answer = ddsbackup("event", "direct", "--set", f"description={value}")

    assert answer.status == 2
    assert expected in answer.err
