"""Event keys, names and digests: the same event gives the same ones, and another event gives others."""

import time as clock
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.create.request import BackupRequest
from shared.errors import InvalidRequestError
from shared.identity import MAX_PREFIX, MAX_STACK, EventNames, digest, key_of, stable_fraction, stack_of
from tests.fakes import name_request


TIME = datetime(2023, 6, 1, 8, 30, tzinfo=timezone(timedelta(hours=8)))
ONE = BackupRequest(instance_id="a")
TWO = BackupRequest(instance_ids=("a", "b"))


def named(
    request: BackupRequest = ONE,
    *identity: str,
    time: datetime | None = TIME,
    recurring: bool = False,
    stack: str | None = None,
) -> EventNames:
    identity = identity or ("timer", "t")
    return name_request(request, identity, time, prefix="dds-backup", recurring=recurring, stack=stack)


def test_a_name_has_the_prefix_the_time_and_digests_of_event_and_instance() -> None:
    """The time is in UTC."""
    name = named().name("a")

    assert name.startswith("dds-backup-20230601T003000Z-")
    assert [len(part) for part in name.split("-")[3:]] == [12, 8]


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Move this process to another time zone than UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        clock.tzset()
        yield
    clock.tzset()


@pytest.mark.usefixtures("in_berlin")
def test_names_do_not_depend_on_the_time_zone_of_the_machine() -> None:
    """A redelivery may reach another machine."""
    assert named().name("a").startswith("dds-backup-20230601T003000Z-")


@pytest.mark.parametrize(
    ("request_", "recurring", "name"),
    [
        (ONE, False, "dds-backup-20230601T003000Z-a652b4002910-0eb5b8d6"),
        (BackupRequest(instance_id="a", name="nightly"), True, "nightly-20230601T003000Z-a652b4002910-0eb5b8d6"),
        (BackupRequest(instance_ids=("a", "b"), name="mybackup1"), False, "mybackup1-0eb5b8d6"),
        (BackupRequest(instance_id="a", name="mybackup1"), False, "mybackup1"),
    ],
)
def test_names_and_keys_stay_the_same_in_every_version(request_: BackupRequest, *, recurring: bool, name: str) -> None:
    """A redelivery may reach a newer version of the function, which has to find the backups of the older one."""
    names = named(request_, recurring=recurring, stack="mine")

    assert names.name("a") == name
    assert names.description("text") == "text;stack:mine;key:a652b4002910dd64aa6805a54240a66e"


def test_the_name_of_an_event_without_a_time_has_no_time() -> None:
    """With the time of the clock, a redelivery would compute another name."""
    assert named(time=None).name("a").count("-") == 3


def test_the_same_event_gives_the_same_names() -> None:
    """Nothing else goes into them."""
    assert named() == named()


def test_the_names_of_an_event_have_one_stem() -> None:
    """One list by the stem shows the backups of all instances."""
    names = named(TWO)

    assert names.name("a") != names.name("b")
    assert names.name("a").startswith(names.stem)
    assert names.name("b").startswith(names.stem)


def test_the_requested_name_is_the_name_for_one_instance() -> None:
    """Nothing is appended."""
    assert named(BackupRequest(instance_id="a", name="mybackup1")).name("a") == "mybackup1"


def test_a_digest_is_appended_to_the_requested_name_for_several_instances() -> None:
    """Names are unique in a project."""
    names = named(BackupRequest(instance_ids=("a", "b"), name="mybackup1"))

    assert names.name("a").startswith("mybackup1-")
    assert names.name("a") != names.name("b")


def test_the_requested_name_replaces_the_prefix_for_a_timer() -> None:
    """The payload of a timer never changes, so with the name alone its second event would be a conflict."""
    request = BackupRequest(instance_id="a", name="nightly")

    assert named(request, recurring=True).name("a").startswith("nightly-20230601T003000Z-")


@pytest.mark.parametrize(
    ("instances", "recurring", "room", "why"),
    [
        (("a", "b"), False, 55, "with several instances each name gets a digest"),
        (("a",), True, 25, "on a timer each name gets the time and two digests"),
    ],
)
def test_a_requested_name_that_is_too_long_is_rejected(
    instances: tuple[str, ...], *, recurring: bool, room: int, why: str
) -> None:
    """The error has the limit and the reason for it. The longest name that fits is accepted."""
    longest = named(BackupRequest(instance_ids=instances, name="n" * room), recurring=recurring)
    with pytest.raises(InvalidRequestError) as caught:
        named(BackupRequest(instance_ids=instances, name="n" * (room + 1)), recurring=recurring)

    assert len(longest.name("a")) == 64
    assert str(caught.value) == f"name: must be at most {room} characters here, since {why}; found {room + 1}"


_TIMES = st.datetimes(timezones=st.just(timezone.utc), min_value=datetime(1000, 1, 1))  # noqa: DTZ001 it adds the zone


@given(
    st.from_regex(rf"\A[A-Za-z][A-Za-z0-9_-]{{0,{MAX_PREFIX - 1}}}\Z"),
    st.lists(st.text(), min_size=1).map(tuple),
    st.none() | _TIMES,
    st.lists(st.text(min_size=1), min_size=1, unique=True),
)
def test_every_name_keeps_the_rule_of_the_api_page(
    prefix: str, identity: tuple[str, ...], time: datetime | None, instances: list[str]
) -> None:
    """The rule is in table 2. No two instances share a name."""
    names = name_request(ONE, identity, time, prefix=prefix)

    made = {names.name(instance) for instance in instances}
    assert len(made) == len(instances)
    for name in made:
        assert BackupRequest(instance_id="i", name=name).wanted_name == name


@given(st.lists(st.text()), st.lists(st.text()))
def test_different_identities_have_different_digests(one: list[str], other: list[str]) -> None:
    """So have ("ab", "c") and ("a", "bc")."""
    assert (digest(*one) == digest(*other)) is (one == other)


@given(st.text(alphabet=st.characters(exclude_characters="><!\"&'=", exclude_categories=("Cc", "Cs")), max_size=256))
def test_a_description_ends_with_the_key(text: str) -> None:
    """It keeps the rules of the API page, so a long text is cut."""
    names = named()

    description = names.description(text)

    assert BackupRequest(instance_id="i", description=description).wanted_description == description
    assert key_of(description) == names.key
    assert description.startswith(text) is not names.cuts(text)


def test_a_description_has_room_for_any_name_that_resources_can_have() -> None:
    """The template uses the prefix of the agencies' names, of at most 64 characters, as the name of the stack."""
    names = EventNames("stem", "0" * 32, exact=False, stack="x" * MAX_STACK)

    description = names.description("a" * 256)

    assert MAX_STACK == 64
    assert len(description) == 256
    assert (stack_of(description), key_of(description)) == (names.stack, names.key)


@pytest.mark.parametrize(
    "description", [None, "", "by hand", "key:123", f"key:{'a' * 32} and more", f"monkey:{'a' * 32}"]
)
def test_the_description_of_another_backup_has_no_key(description: str | None) -> None:
    """A backup that this application did not make is never taken for one that it made."""
    assert key_of(description) is None


def test_a_key_in_the_text_is_not_the_key_of_the_event() -> None:
    """Only the key at the end counts."""
    names = named()

    assert key_of(names.description(f"key:{'a' * 32}")) == names.key


@pytest.mark.parametrize("stack", [None, "mine", "s" * MAX_STACK])
def test_a_description_tells_the_stack(stack: str | None) -> None:
    """A deployment recognizes its own backups by it."""
    names = named(stack=stack)

    assert stack_of(names.description("nightly")) == stack
    assert key_of(names.description("nightly")) == names.key


@pytest.mark.parametrize("description", [None, "", "stack:mine", f"stack:mine; key:{'a' * 32}"])
def test_the_description_of_another_backup_has_no_stack(description: str | None) -> None:
    """A stack counts only where it stands before the key."""
    assert stack_of(description) is None


def test_a_longer_text_is_no_stack() -> None:
    """The key after it still counts."""
    description = f"stack:{'s' * (MAX_STACK + 1)};key:{'a' * 32}"

    assert stack_of(description) is None
    assert key_of(description) == "a" * 32


@pytest.mark.parametrize(("stack", "room"), [(None, 219), ("mine", 208)])
def test_a_text_is_cut_to_the_room_that_the_stack_and_the_key_leave(stack: str | None, room: int) -> None:
    """A description has 256 characters (DDS API, Creating a Manual Backup). A text that fits stays whole."""
    names = named(stack=stack)

    assert not names.cuts("t" * room)
    assert names.cuts("t" * (room + 1))
    assert len(names.description("t" * room)) == 256
    assert names.description("t" * 300) == names.description("t" * room)


def test_a_description_without_a_text_is_the_key_alone() -> None:
    """No separator is left over."""
    names = named()

    assert names.description("") == f"key:{names.key}"


def test_the_share_of_an_instance_never_changes() -> None:
    """Each backup of an instance begins at the same share of the time over which a fleet is spread."""
    assert stable_fraction("a") == pytest.approx(0.16568446857854724, rel=1e-12)
    assert stable_fraction("b") == pytest.approx(0.854497181950137, rel=1e-12)
