"""Terraform reads exactly the texts that were meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.json_value import Json
from cli.terraform.expressions import Scope, literal, snake_case


SCOPE = Scope({"Id": "var.id", "Topic": "huaweicloud_smn_topic.topic.topic_urn"})

TEXTS = st.text(alphabet='a$%{}"\\\n é', max_size=12)
"""Mostly characters that are special in a Terraform template."""


def read(text: str, values: dict[str, str]) -> str:
    """Read a text as Terraform does: ``$${`` and ``%%{`` are escapes, ``${x}`` an expression, ``%{`` a directive."""
    result = ""
    position = 0
    while position < len(text):
        rest = text[position:]
        if rest.startswith(("$${", "%%{")):
            result, position = result + rest[1:3], position + 3
        elif rest.startswith("${"):
            expression = rest[2 : rest.index("}")]
            result += expression[1:-1] if expression.startswith('"') else values[expression]
            position += len(expression) + 3
        else:
            assert not rest.startswith("%{")
            result, position = result + rest[0], position + 1
    return result


@given(TEXTS)
def test_a_literal_is_read_as_it_is(text: str) -> None:
    """A literal may contain any dollar signs, percent signs and braces."""
    assert read(literal(text), {}) == text


@given(st.lists(TEXTS.filter(lambda text: "${" not in text), min_size=1, max_size=4))
def test_a_reference_is_an_expression_in_any_text(parts: list[str]) -> None:
    """A dollar sign before a reference does not escape it, and the text around it does not change."""
    text = "${Id}".join(parts)

    assert read(SCOPE.text(text), {"var.id": "<id>"}) == text.replace("${Id}", "<id>")


def test_nested_references() -> None:
    """Keys and items are converted, too. Values that are not texts stay as they are."""
    value: Json = {"${Id}": ["${Topic}", 1, True, None, {"a": "%{b}"}]}

    assert SCOPE.value(value) == {
        "${var.id}": ["${huaweicloud_smn_topic.topic.topic_urn}", 1, True, None, {"a": '${"%"}{b}'}]
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NotifyTopic", "notify_topic"),
        ("CreateBackup EveryFiveMinutes", "create_backup_every_five_minutes"),
        ("HTTPHook", "http_hook"),
        ("A1", "a1"),
        ("${Prefix}-create", "prefix_create"),
        ("Topic sms +49 170 1", "topic_sms_49_170_1"),
        ("1st", "_1st"),
    ],
)
def test_names_follow_the_style_of_terraform(name: str, expected: str) -> None:
    """Names are in snake case and start with a letter or an underscore."""
    assert snake_case(name) == expected
