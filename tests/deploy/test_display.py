"""What people read about a deployment."""

import io
import json

import pytest
from rich.console import Console

from cli.deploy.display import Progress, lines_of_change, shown
from cli.deploy.plan import plan
from cli.deploy.steps import carry_out
from cli.huaweicloud.resources import Kind, Resource
from cli.json_value import Json, JsonObject
from tests.deploy.conftest import SECRET, App, steps
from tests.deploy.memory import STACK, Memory


def test_a_dry_run_shows_what_the_user_agrees_to(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """Permissions, configuration and schedules, but no secret."""
    app.deploy(dry_run=True)

    err = capsys.readouterr().err
    assert "policy: dds:backup:list, " in err
    assert "memory_size: 256" in err
    assert "subnet_id: s-1" in err
    assert "schedule: CRON_TZ=UTC 0 0 2 * * ?" in err
    assert "kafka_user: me" in err
    assert SECRET not in err
    assert "kafka_password" not in err


def test_an_update_shows_old_and_new_values(deployed: App, capsys: pytest.CaptureFixture[str]) -> None:
    """Policies by action, and afterwards notes about what is left for the user to do."""
    deployed.change("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG")
    deployed.change("DDS.ListBackups, ", "DDS.DeleteManualBackup, ")
    capsys.readouterr()

    deployed.deploy(as_json=False)

    out, err = capsys.readouterr()
    assert out == ""
    assert "variables.LOG_LEVEL: INFO -> DEBUG" in err
    assert "policy: + dds:backup:delete\n" in err
    assert "policy: - dds:backup:list\n" in err
    assert "3 to update; 7 unchanged." in err  # the policy first gains an action, then loses one
    assert "done    update   function backup" in err
    assert "dba@example.com has to confirm" in err
    assert "Note: backup is in a VPC and reaches DDS and SMN only through it" in err
    assert SECRET not in err


def test_a_vpc_that_left_the_template_is_noted(deployed: App, capsys: pytest.CaptureFixture[str]) -> None:
    """The function stays in it, because the console may have chosen it."""
    deployed.leave_the_vpc()
    capsys.readouterr()

    deployed.deploy(prune=True)

    out, err = capsys.readouterr()
    assert steps(json.loads(out)) == [("update", "policy"), ("delete", "trigger")]
    assert "Note: backup is in the VPC v-1, which the template does not have" in err


def document(*actions: Json, effect: str = "Allow", **more: Json) -> JsonObject:
    return {"Version": "1.1", "Statement": [{"Effect": effect, "Action": list(actions), **more}]}


@pytest.mark.parametrize(
    ("name", "old", "new", "lines"),
    [
        ("timeout", 3, 30, ["timeout: 3 -> 30"]),
        ("code", "", "a" * 128, ["code: (none) -> aaaaaaaaaaaa..."]),
        ("agency", None, "a", ["agency: (none) -> a"]),
        ("variables", {"A": "1", "B": "2"}, {"A": "1"}, ["variables.B: 2 -> (none)"]),
        ("event_data", {"a": 1, "by_the_service": 2}, {"a": 2}, ["event_data.a: 1 -> 2"]),
        ("on_failure", {"param": {"urn": "a"}}, {"param": {"urn": "b"}}, ["on_failure.param.urn: a -> b"]),
        ("policy", document("a:b:c"), document("a:b:d"), ["policy: + a:b:d", "policy: - a:b:c"]),
        ("policy", document("a:b:c", effect="Deny"), document("a:b:c"), ["policy: + a:b:c", "policy: - Deny a:b:c"]),
        ("policy", document("a:b:c", Resource=["x"]), document("a:b:c"), ["policy: the same actions in another form"]),
        ("policy", {"Version": "1.1", "Statement": None}, document("a:b:c"), ["policy: + a:b:c"]),
    ],
)  # fmt: skip
def test_only_differences_are_shown(name: str, old: Json, new: Json, lines: list[str]) -> None:
    """At any depth of a field."""
    assert list(lines_of_change(name, old, new)) == lines


def test_long_values_are_shortened_but_policies_are_not() -> None:
    """All permissions are visible."""
    assert shown("user_event", "x" * 200) == f"{'x' * 100}... (200 characters)"
    assert len(shown("policy", document(*[f"a:b:{number:03}" for number in range(100)]))) > 800


def test_a_terminal_shows_a_line_for_each_finished_step() -> None:
    """A spinner shows the current step."""
    memory = Memory([])
    memory.breaks_at = 1
    out = io.StringIO()
    wanted = [Resource(Kind.TOPIC, "a", {}), Resource(Kind.TOPIC, "b", {})]

    carry_out(plan(wanted, [], STACK).changes, memory.services(), Progress(Console(file=out, force_terminal=True)))

    assert "done    create   topic a" in out.getvalue()
    assert "failed  create   topic b" in out.getvalue()
