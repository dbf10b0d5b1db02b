"""The fields of triggers in template.schema.json agree with the official SDK (FunctionGraph API, table 4)."""

import json
import re
from typing import Any

import pytest
from huaweicloudsdkfunctiongraph.v2 import ApigTriggerFuncInfo, TriggerEventDataRequestBody

from cli.paths import CHECKOUT


DEFINITIONS = json.loads((CHECKOUT / "template.schema.json").read_text(encoding="utf-8"))["$defs"]
TYPES = ("timer", "smn", "kafka", "rabbitmq", "eventgrid", "apig")

JSON_TYPES = {
    "str": "string",
    "int": "integer",
    "bool": "boolean",
    "list[str]": "array",
    "ApigTriggerFuncInfo": "object",
}

ONLY_IN_TERRAFORM = {"sync_execution"}
"""From the provider's documentation of huaweicloud_fgs_function_trigger. The SDK does not have it."""

ANSWERED = {"created_time", "status"}
"""Fields that FunctionGraph sets."""

OF_OTHER_TYPES = {
    *("operations", "collection_name", "db_name", "db_password", "queue_id", "consumer_group_id", "polling_interval"),
    *("stream_name", "sharditerator_type", "polling_unit", "max_fetch_bytes", "is_serial", "log_group_id"),
    *("log_topic_id", "prefix", "suffix", "events"),
}
"""Fields of CTS, DDS, DMS, DIS, LTS and OBS triggers, which the template does not support."""


def types_in_json(model: Any) -> dict[str, str]:
    """The JSON names of the fields of an SDK model, with their types."""
    return {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}


def json_type(definition: dict[str, Any]) -> str:
    """The type that a definition of the schema allows."""
    if "$ref" in definition:
        return json_type(DEFINITIONS[definition["$ref"].rpartition("/")[2]])
    if "enum" in definition:
        return "integer" if isinstance(definition["enum"][0], int) else "string"
    return str(definition["type"])


@pytest.mark.parametrize("kind", TYPES)
def test_fields_are_those_of_the_api(kind: str) -> None:
    """Every field of the template is a field of the API, of the same type."""
    known = types_in_json(TriggerEventDataRequestBody)
    fields = DEFINITIONS[kind]["properties"]
    for field in fields.keys() - ONLY_IN_TERRAFORM:
        assert JSON_TYPES[known[field]] == json_type(fields[field]), field


def test_no_field_is_missing() -> None:
    """Every field of the API is in the template, or belongs to a trigger that it does not support."""
    taken = {field for kind in TYPES for field in DEFINITIONS[kind]["properties"]}
    assert types_in_json(TriggerEventDataRequestBody).keys() - taken == ANSWERED | OF_OTHER_TYPES


def test_nested_fields_of_the_gateway() -> None:
    """The nested object func_info agrees with the SDK, too."""
    fields = DEFINITIONS["apig"]["properties"]["func_info"]["properties"]
    known = types_in_json(ApigTriggerFuncInfo)
    assert {field: json_type(definition) for field, definition in fields.items()} == {
        field: JSON_TYPES[kind] for field, kind in known.items()
    }


@pytest.mark.parametrize(
    ("word", "kind", "more"),
    [
        ("TIMER", "timer", set()),
        ("APIG", "apig", {"func_info"}),
        ("SMN", "smn", set()),
        ("RABBITMQ", "rabbitmq", set()),
    ],
)
def test_required_fields_are_those_of_the_api(word: str, kind: str, more: set[str]) -> None:
    """The API's documentation says of each field which triggers require it.

    Of *func_info*, it says so only for the nested *timeout*.
    """
    assert set(DEFINITIONS[kind]["required"]) == _documented_as_required(word) | more


def test_required_fields_of_kafka() -> None:
    """They depend on the type, since open-source Kafka requires others."""
    (required,) = [
        branch["then"]["properties"]["Properties"]["required"]
        for branch in DEFINITIONS["event"]["allOf"]
        if branch["if"]["properties"]["Type"].get("const") == "KAFKA"
    ]
    assert set(required) == _documented_as_required("KAFKA")


@pytest.mark.parametrize("kind", ["KAFKA", "RABBITMQ"])
def test_size_of_a_batch(kind: str) -> None:
    """The range of batch_size is that of the API's documentation."""
    batch = DEFINITIONS["batchSize"]
    sentence = re.search(rf"{kind}触发器.批处理大小设置(\d+)-([\d,]+)", _documentation())
    assert sentence
    assert (batch["minimum"], batch["maximum"]) == (int(sentence[1]), int(sentence[2].replace(",", "")))


def _documentation() -> str:
    return str(TriggerEventDataRequestBody.__init__.__doc__)


def _documented_as_required(word: str) -> set[str]:
    """The fields whose documentation says that triggers of the type *word* require them."""
    found = set()
    for match in re.finditer(r":param (\w+): (.*?)(?=:type )", _documentation(), re.DOTALL):
        sentences = re.findall(r"([A-Z、]+)触发器此参数必填", match[2])
        if any(word in sentence.split("、") for sentence in sentences):
            found.add(TriggerEventDataRequestBody.attribute_map[match[1]])
    return found
