"""The types of the fields of requests, and how faults are explained."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from shared.fields import (
    BackupName,
    Description,
    IdempotencyKey,
    InstanceId,
    Interval,
    explain,
    has_documented_shape,
)


DOCUMENTED = "a89dab5e39394eccbdb77b19d57b0180in02"
NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
NAME: TypeAdapter[str] = TypeAdapter(BackupName)


class Part(BaseModel):
    """A model inside another one."""

    model_config = ConfigDict(extra="forbid")

    name: BackupName
    description: Description | None = None


class Example(BaseModel):
    """A model with a field of each type."""

    model_config = ConfigDict(extra="forbid")

    instance_ids: tuple[InstanceId, ...] = ()
    name: BackupName | None = None
    description: Description | None = None
    interval: Interval | None = None
    key: IdempotencyKey | None = None
    part: Part | None = None


def faults(**fields: object) -> tuple[str, ...]:
    """Return the explained faults of the fields."""
    with pytest.raises(ValidationError) as caught:
        Example.model_validate(fields)
    return explain(caught.value, Example)


@pytest.mark.parametrize("name", ["abcd", "A123", "a-_9", "a" * 64])
def test_a_name_that_keeps_the_rule_is_accepted(name: str) -> None:
    """It has 4 to 64 characters: a letter, then letters, digits, hyphens and underscores."""
    assert Example(name=name).name == name


@pytest.mark.parametrize(
    "name", ["", "abc", "a" * 65, "1abc", "-abc", "_abc", "ab cd", "abc.", "abcd\n", "äbcd", "abcé", "abc٣"]
)
def test_a_name_that_breaks_the_rule_is_rejected(name: str) -> None:
    """The fault has the field, the rule and what was found."""
    (fault,) = faults(name=name)

    assert fault.startswith("name: must be 4 to 64 characters, start with a letter")
    assert f"({len(name)} characters)" in fault


@given(st.text(min_size=4, max_size=64) | st.from_regex(r"\A[A-Za-z][A-Za-z0-9_-]{3,63}\Z"))
def test_a_name_is_accepted_exactly_if_it_keeps_the_rule(name: str) -> None:
    """The test writes the rule of table 2 down a second time."""
    allowed = name[0].isascii() and name[0].isalpha() and all(c in NAME_CHARACTERS for c in name)
    try:
        NAME.validate_python(name)
    except ValidationError:
        assert not allowed
    else:
        assert allowed


@pytest.mark.parametrize("description", ["", "x" * 256, "每晚备份, nightly; 100% (sure)?"])
def test_a_description_of_any_script_is_accepted(description: str) -> None:
    """It has at most 256 characters."""
    assert Example(description=description).description == description


@pytest.mark.parametrize("character", [*"><!\"&'=", "\r", "\n", "\t", "\0", "\x1b", "\x7f", "\x85"])
def test_a_description_with_a_forbidden_character_is_rejected(character: str) -> None:
    """Forbidden are those of table 2, the carriage return of the user manual, and every other control character."""
    (fault,) = faults(description=f"before {character} after")

    assert fault.startswith("description: must hold no control characters and none of > ! <")
    assert repr(character) in fault


def test_a_description_of_257_characters_is_rejected() -> None:
    """The fault has the limit and the length."""
    assert faults(description="x" * 257) == ("description: must be at most 256 characters; found 257",)


@pytest.mark.parametrize("instance_id", ["", " ", "a b", "a\n", "x" * 65])
def test_an_impossible_instance_id_is_rejected(instance_id: str) -> None:
    """It is empty, has blanks, or is too long."""
    (fault,) = faults(instance_ids=[instance_id])

    assert fault.startswith("instance_ids.0: must ")


@pytest.mark.parametrize(
    ("instance_id", "documented"),
    [(DOCUMENTED, True), (DOCUMENTED.replace("in02", "in01"), True), (DOCUMENTED.upper(), False), ("orders", False)],
)
def test_the_documented_shape_of_an_instance_id_is_recognized(instance_id: str, *, documented: bool) -> None:
    """The documents show 32 hexadecimal digits, "in" and two digits."""
    assert has_documented_shape(instance_id) is documented


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(90, 90), ("90s", 90), ("30m", 1800), ("12h", 43200), ("7d", 604800), ("PT12H", 43200), ("3600", 3600)],
)
def test_an_interval_is_parsed(value: object, seconds: float) -> None:
    """It is a number of seconds, a number with a unit, or ISO 8601."""
    assert Example.model_validate({"interval": value}).interval == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", [0, -1, "0s", "1w", "soon", "99999999999d", "367d", [], "-5m"])
def test_an_impossible_interval_is_rejected(value: object) -> None:
    """It is zero, negative, in another unit, or longer than a year."""
    (fault,) = faults(interval=value)

    assert fault.startswith("interval: ")


@pytest.mark.parametrize("key", ["", " ", "k" * 256])
def test_an_impossible_idempotency_key_is_rejected(key: str) -> None:
    """It is blank or longer than 255 characters."""
    (fault,) = faults(key=key)

    assert fault.startswith("key: ")


@pytest.mark.parametrize(("value", "found"), [(5, "5"), (["a"], "a list"), ({"a": 1}, "an object")])
def test_a_value_of_another_type_is_not_converted(value: object, found: str) -> None:
    """The fault has the expected type in the terms of JSON and what was found, but nothing from inside of it."""
    assert faults(name=value) == (f"name: must be a text; found {found}",)
    assert faults(instance_ids="abc") == ("instance_ids: must be a list; found 'abc'",)
    assert faults(part="abc")[0].startswith("part: ")


def test_an_unknown_field_is_explained_by_the_known_ones() -> None:
    """The closest known name is suggested; in a nested model the known names are those of that model."""
    known = "description, instance_ids, interval, key, name, part"

    assert faults(descripton="x") == (f"descripton: unknown field (did you mean description?); known fields: {known}",)
    assert faults(part={"name": "abcd", "nmae": "x"}) == (
        "part.nmae: unknown field (did you mean name?); known fields: description, name",
    )


def test_a_missing_field_is_required() -> None:
    """The fault has the path of the field."""
    assert faults(part={}) == ("part.name: required, but missing",)
