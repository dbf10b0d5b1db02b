"""Any valid template gives a configuration that the provider's schema allows."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.errors import WrongCall
from cli.template.load import load_template
from cli.template.model import QUEUES
from cli.terraform.check import problems
from cli.terraform.provider import read_provider
from cli.terraform.resources import Target
from shared.cloud.operations import OPERATIONS
from tests.terraform.templates import EVENTS, function, in_json, made_of, write


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="${", exclude_categories=["C"]), max_size=20)
REFERENCES = st.sampled_from(["", "${Id}", "${Requests}", "$${Id}", "%{if}", "a$"])

DESTINATIONS = st.sampled_from(
    [
        {"Destination": "SMN", "Param": {"topic_urn": "${Requests}"}},
        {"Destination": "OBS", "Param": {"bucket": "b", "prefix": "p", "expires": 3}},
        {"Destination": "FunctionGraph", "Param": {"func_urn": "urn:fss:r:p:function:default:f:latest"}},
        {"Destination": "DIS", "Param": {"stream_name": "${Id}"}},
    ]
)


@st.composite
def functions(draw: st.DrawFn) -> dict[str, Any]:
    """Functions with any triggers and settings."""
    properties: dict[str, Any] = {
        "Description": draw(TEXTS) + draw(REFERENCES),
        "MemorySize": draw(st.sampled_from([128, 256, 4096, 10240])),
        "Timeout": draw(st.integers(3, 259200)),
        "Environment": {"Variables": draw(st.dictionaries(NAMES, st.one_of(st.integers(), TEXTS), max_size=3))},
    }
    if draw(st.booleans()):
        properties["Initializer"] = "index.initializer"
    if draw(st.booleans()):
        properties["LogGroup"] = "${Logs}"
    events = draw(st.dictionaries(NAMES.map(str.title), st.sampled_from([*EVENTS.values()]), max_size=4))
    in_vpc = draw(st.booleans()) or not QUEUES.isdisjoint(event["Type"] for event in events.values())
    if in_vpc:
        properties["VpcConfig"] = {"VpcId": draw(TEXTS) + draw(REFERENCES), "SubnetId": "${Id}"}
    if in_vpc or draw(st.booleans()):
        properties["Agency"] = draw(st.sampled_from(["one", "two-${Id}"]))
        properties["Permissions"] = draw(st.lists(st.sampled_from(sorted(OPERATIONS)), unique=True))
    if draw(st.booleans()):
        properties["AsyncInvoke"] = draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "MaxRetryAttempts": st.integers(0, 3),
                    "MaxEventAge": st.integers(1, 86400),
                    "OnSuccess": DESTINATIONS,
                    "OnFailure": DESTINATIONS,
                },
            )
        )
    return function(**properties) | {"Events": events}


@st.composite
def templates(draw: st.DrawFn) -> dict[str, Any]:
    """Templates with any functions, a topic and a log group."""
    subscriptions = draw(
        st.lists(
            st.fixed_dictionaries(
                {"Protocol": st.sampled_from(["email", "sms", "http", "https"]), "Endpoint": TEXTS},
                optional={"Remark": TEXTS},
            ),
            max_size=2,
            unique_by=lambda subscription: subscription["Protocol"],
        )
    )
    named = draw(st.dictionaries(st.sampled_from(["First", "Second", "Third"]), functions(), max_size=3))
    return {
        "Parameters": {
            "Id": {"Type": draw(st.sampled_from(["String", "Number"]))},
            "KafkaPassword": {"Type": "String", "NoEcho": True},
        },
        "Resources": {
            "Requests": {"Type": "HC::SMN::Topic", "Properties": {"Name": "t", "Subscriptions": subscriptions}},
            "Logs": {"Type": "HC::LTS::Group", "Properties": {"GroupName": "g"}},
            **named,
        },
    }


@pytest.mark.slow
@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(template=templates(), target=st.sampled_from(Target))
def test_any_template_gives_a_valid_configuration(tmp_path: Path, template: dict[str, Any], target: Target) -> None:
    """The configuration is valid and always the same, unless two resources would have the same name."""
    file = write(tmp_path, template)
    try:
        made = made_of(file, target)
    except WrongCall as error:
        assert "resources would have the name" in str(error)  # noqa: PT017 - a template may have such names
        return
    assert problems(made.documents.values(), read_provider()) == []
    assert in_json(made) == in_json(made_of(file, target))
    functions_and_triggers = [r for r in made.resources if r.type in {"huaweicloud_fgs_function", _TRIGGER}]
    template_functions = load_template(file).functions
    assert len(functions_and_triggers) == sum(1 + len(function.events) for function in template_functions)


_TRIGGER = "huaweicloud_fgs_function_trigger"


@pytest.mark.parametrize("target", Target)
def test_every_reference_is_an_expression(tmp_path: Path, target: Target) -> None:
    """The configuration has no reference of the template left, such as ``${Id}``."""
    template = {
        "Parameters": {"Id": {"Type": "String"}},
        "Resources": {"F": function(Description="${Id}", Environment={"Variables": {"A": "${Id}"}})},
    }
    assert "${Id}" not in in_json(made_of(write(tmp_path, template), target))
