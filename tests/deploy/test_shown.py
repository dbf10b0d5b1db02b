"""What people see of a change, and how triggers are told apart."""

import io

import pytest
from rich.console import Console

from cli.deploy.carry_out import carry_out
from cli.deploy.difference import plan
from cli.deploy.display import Progress
from cli.deploy.values import lines_of_change, shown
from cli.errors import WrongCall
from cli.huaweicloud.resources import Kind, Resource
from cli.huaweicloud.trigger_names import trigger_name
from cli.json_value import Json, JsonObject
from tests.deploy.conftest import App
from tests.deploy.memory import STACK, Memory


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
def test_only_what_differs_is_shown(name: str, old: Json, new: Json, lines: list[str]) -> None:
    """As deep as it stands."""
    assert list(lines_of_change(name, old, new)) == lines


def test_a_long_value_is_cut_and_a_policy_is_not() -> None:
    """What is to be allowed is never hidden."""
    assert shown("user_event", "x" * 200) == f"{'x' * 100}... (200 characters)"
    assert len(shown("policy", document(*[f"a:b:{number:03}" for number in range(100)]))) > 800


def test_a_terminal_shows_each_step_once_it_is_done() -> None:
    """And a spinner meanwhile."""
    memory = Memory([])
    memory.breaks_at = 1
    out = io.StringIO()
    wanted = [Resource(Kind.TOPIC, "a", {}), Resource(Kind.TOPIC, "b", {})]

    carry_out(plan(wanted, [], STACK).changes, memory.services(), Progress(Console(file=out, force_terminal=True)))

    assert "done    create   topic a" in out.getvalue()
    assert "failed  create   topic b" in out.getvalue()


@pytest.mark.parametrize(
    ("kind", "data", "name"),
    [
        ("TIMER", {"name": "Nightly", "schedule": "5m"}, "f TIMER Nightly"),
        ("SMN", {"topic_urn": "u"}, "f SMN u"),
        ("KAFKA", {"instance_id": "i", "topic_ids": ["b", "a"], "batch_size": 5}, "f KAFKA i a,b"),
        ("RABBITMQ", {"instance_id": "i", "exchange_name": "x"}, "f RABBITMQ i x"),
        ("DEDICATEDGATEWAY", {"instance_id": "i", "req_method": "POST", "path": "/p"}, "f DEDICATEDGATEWAY i POST /p"),
        ("LTS", {"log_group_id": "g"}, "f LTS t-1"),
    ],
)
def test_a_trigger_is_told_by_what_it_listens_to(kind: str, data: JsonObject, name: str) -> None:
    """How it does so may change."""
    assert trigger_name("f", kind, data, "t-1") == name


def test_two_triggers_that_nothing_tells_apart_are_refused(app: App) -> None:
    """Each run would take the one for the other."""
    start = app.text.index("      Queue:\n")
    app.text += app.text[start:].replace("Queue", "Again")

    with pytest.raises(WrongCall, match="two of: trigger backup KAFKA k-1 a,b"):
        app.deployment().resources()
