"""The rules of the API page, and how a wrong request is answered."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.create.request import BackupRequest
from shared.fields import explain, has_documented_shape


DOCUMENTED = "a89dab5e39394eccbdb77b19d57b0180in02"
NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


def faults(**request: object) -> tuple[str, ...]:
    """What is wrong with a request, in the words the user reads."""
    with pytest.raises(ValidationError) as caught:
        BackupRequest.model_validate(request)
    return explain(caught.value, BackupRequest)


def test_the_very_body_of_the_api_page() -> None:
    """What one would send to DDS is understood."""
    request = BackupRequest.model_validate(
        {"backup": {"instance_id": DOCUMENTED, "name": "mybackup1", "description": "The first Manual backup"}}
    )

    assert request.instances == (DOCUMENTED,)
    assert request.wanted_name == "mybackup1"
    assert request.wanted_description == "The first Manual backup"


def test_an_instance_named_twice_is_one() -> None:
    """The order stays."""
    assert BackupRequest(instance_ids=("b", "a", "b")).instances == ("b", "a")


@pytest.mark.parametrize("name", ["abcd", "A123", "a-_9", "a" * 64])
def test_names_that_the_page_allows(name: str) -> None:
    """4 to 64 characters, a letter first, then letters, digits, hyphens and underscores."""
    assert BackupRequest(instance_id="i", name=name).wanted_name == name


@pytest.mark.parametrize(
    "name", ["", "abc", "a" * 65, "1abc", "-abc", "_abc", "ab cd", "abc.", "abcd\n", "äbcd", "abcé", "abc٣"]
)
def test_names_that_the_page_does_not_allow(name: str) -> None:
    """The answer says where, what is allowed and what was found."""
    (fault,) = faults(instance_id="i", name=name)

    assert fault.startswith("name: must be 4 to 64 characters, start with a letter")
    assert f"({len(name)} characters)" in fault


@given(st.from_regex(r"\A[A-Za-z][A-Za-z0-9_-]{3,63}\Z"))
def test_every_name_of_the_rule_is_taken(name: str) -> None:
    """The rule of table 2, as a property."""
    assert BackupRequest(instance_id="i", name=name).wanted_name == name


@given(st.text(min_size=4, max_size=64))
def test_no_other_name_is_taken(name: str) -> None:
    """Any text is taken exactly if it obeys the rule, written down a second time."""
    allowed = name[0].isascii() and name[0].isalpha() and all(c in NAME_CHARACTERS for c in name)
    try:
        BackupRequest(instance_id="i", name=name)
    except ValidationError:
        assert not allowed
    else:
        assert allowed


@pytest.mark.parametrize("character", [*"><!\"&'=", "\r", "\n", "\t", "\0", "\x1b", "\x7f", "\x85"])
def test_characters_that_a_description_must_not_hold(character: str) -> None:
    """Those of table 2, the carriage return of the user manual, and every other control character."""
    (fault,) = faults(instance_id="i", description=f"before {character} after")

    assert fault.startswith("description: must hold no control characters and none of > ! <")
    assert repr(character) in fault


@pytest.mark.parametrize("description", ["", "x" * 256, "每晚备份, nightly; 100% (sure)?"])
def test_descriptions_that_the_page_allows(description: str) -> None:
    """Up to 256 characters, of any script."""
    assert BackupRequest(instance_id="i", description=description).wanted_description == description


def test_a_description_of_257_characters() -> None:
    """One too many."""
    assert faults(instance_id="i", description="x" * 257) == ("description: must be at most 256 characters; found 257",)


def test_everything_wrong_is_said_at_once() -> None:
    """Five faults, five lines, each at its place."""
    lines = faults(instance_ids=["a", "b", ""], name="1", description="<", idempotency_key=" ", instanceids=["c"])

    assert [line.split(":")[0] for line in lines] == [
        "instance_ids.2",
        "name",
        "description",
        "idempotency_key",
        "instanceids",
    ]


def test_an_unknown_field_names_the_known_ones_and_the_likely_one() -> None:
    """A slip of the pen is found at a glance."""
    (fault,) = faults(instance_id="i", descripton="x")

    assert "unknown field (did you mean description?)" in fault
    assert "idempotency_key, instance_id, instance_ids" in fault


def test_an_unknown_field_inside_backup_names_those_of_the_api_page() -> None:
    """The known fields are those of the object that it stands in."""
    (fault,) = faults(backup={"instance_id": "i", "name": "abcd", "descr": "x"})

    assert (
        fault == "backup.descr: unknown field (did you mean description?); known fields: description, instance_id, name"
    )


@pytest.mark.parametrize("request_", [{}, {"instance_ids": []}, {"name": "abcd"}, {"instance_id": None}])
def test_a_request_has_to_name_an_instance(request_: dict[str, object]) -> None:
    """And is told the four ways to do it."""
    assert faults(**request_) == (
        "instance_ids: name at least one instance: instance_ids (a list), instance_id, backup, or select",
    )


def test_instances_are_named_in_one_way() -> None:
    """Two ways at once could contradict each other."""
    (fault,) = faults(instance_id="a", instance_ids=["b"])

    assert fault == "instance_ids: name the instances in one way; found instance_id and instance_ids"


def test_a_name_beside_backup_has_its_place_inside() -> None:
    """The API page's object is complete in itself."""
    (fault,) = faults(backup={"instance_id": "i", "name": "abcd"}, name="efgh")

    assert fault == "name: belongs inside backup when that is given"


def test_the_api_pages_mandatory_fields() -> None:
    """In the page's own form its rules hold: the name is mandatory too."""
    assert faults(backup={}) == (
        "backup.instance_id: required, but missing",
        "backup.name: required, but missing",
    )


@pytest.mark.parametrize("instance_id", ["", " ", "a b", "a\n", "x" * 65])
def test_instance_ids_that_cannot_be(instance_id: str) -> None:
    """Empty, with blanks, or too long."""
    (fault,) = faults(instance_id=instance_id)

    assert fault.startswith("instance_id: must ")


@pytest.mark.parametrize(
    ("value", "expected"), [(5, "must be a text"), (["a"], "must be a text"), ({}, "must be a text")]
)
def test_other_types_are_not_bent(value: object, expected: str) -> None:
    """A number is no instance id."""
    (fault,) = faults(instance_id=value)

    assert fault == f"instance_id: {expected}; found {value!r}"


def test_a_text_is_no_list() -> None:
    """The commonest slip: one id where a list is expected."""
    assert faults(instance_ids="abc") == ("instance_ids: must be a list; found 'abc'",)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(90, 90), ("90s", 90), ("30m", 1800), ("12h", 43200), ("7d", 604800), ("PT12H", 43200), ("3600", 3600)],
)
def test_intervals(value: object, seconds: float) -> None:
    """Seconds, a number with a unit, or ISO 8601."""
    request = BackupRequest.model_validate({"instance_id": "i", "min_interval": value})

    assert request.min_interval == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", [0, -1, "0s", "1w", "soon", "99999999999d", "367d", [], "-5m"])
def test_intervals_that_make_no_sense(value: object) -> None:
    """Nothing, the past, other units, and more than a year."""
    (fault,) = faults(instance_id="i", min_interval=value)

    assert fault.startswith("min_interval: ")


@pytest.mark.parametrize(
    ("instance_id", "documented"),
    [(DOCUMENTED, True), (DOCUMENTED.replace("in02", "in01"), True), (DOCUMENTED.upper(), False), ("orders", False)],
)
def test_the_documented_shape(instance_id: str, *, documented: bool) -> None:
    """32 hexadecimal digits, "in", two digits."""
    assert has_documented_shape(instance_id) is documented


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_whatever_arrives_is_taken_or_explained(value: object) -> None:
    """No JSON makes anything but a request or lines that say what is wrong."""
    lines: tuple[str, ...] = ("fine: ",)
    try:
        BackupRequest.model_validate(value)
    except ValidationError as error:
        lines = explain(error, BackupRequest)

    assert lines
    assert all(": " in line for line in lines)
