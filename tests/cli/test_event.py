"""``ddsbackup event``, the help and the version."""

import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

from cli.event import CARRIERS
from cli.paths import CHECKOUT


Run = Callable[..., Any]


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
    assert all(f"'{trigger}'" in ran.err for trigger in CARRIERS)


def test_wrong_change(ddsbackup: Run) -> None:
    """The exit status is 2, and the message is one line."""
    ran = ddsbackup("event", "timer", "--set", "trigger_nam=x")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert "did you mean 'trigger_name'?" in ran.err


def test_help_names_every_command(ddsbackup: Run) -> None:
    """--help lists the commands, and each has its own help."""
    commands = ("demo", "serve", "event", "invoke")
    assert all(f"  {command} " in ddsbackup("--help").out for command in commands)
    assert all(ddsbackup(command, "--help").status == 0 for command in commands)


def test_version(ddsbackup: Run) -> None:
    """--version prints the version of the installed package."""
    assert version("dds-backup") in ddsbackup("--version").out


def test_help_of_event_names_every_trigger(ddsbackup: Run) -> None:
    """The names are not in the list of arguments."""
    help_text = ddsbackup("event", "--help").out
    assert all(trigger in help_text for trigger in CARRIERS)
