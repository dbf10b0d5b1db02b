"""Names are the memory: the same event gives the same ones, another event others."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.create.request import BackupRequest
from shared.errors import InvalidRequestError
from shared.identity import MAX_PREFIX, EventNames, digest, key_of
from tests.fakes import name_request


TIME = datetime(2023, 6, 1, 8, 30, tzinfo=timezone(timedelta(hours=8)))
ONE = BackupRequest(instance_id="a")
TWO = BackupRequest(instance_ids=("a", "b"))


def named(
    request: BackupRequest = ONE, *identity: str, time: datetime | None = TIME, recurring: bool = False
) -> EventNames:
    return name_request(request, identity or ("timer", "t"), time, prefix="dds-backup", recurring=recurring)


def test_a_name_tells_the_prefix_the_time_the_event_and_the_instance() -> None:
    """The time is in UTC."""
    name = named().name("a")

    assert name.startswith("dds-backup-20230601T003000Z-")
    assert [len(part) for part in name.split("-")[3:]] == [12, 8]


def test_an_event_without_a_time_has_none_in_its_names() -> None:
    """Never the clock's: a redelivery would compute another name."""
    assert named(time=None).name("a").count("-") == 3


def test_the_same_event_gives_the_same_names() -> None:
    """Whatever else happened in between."""
    assert named() == named()


def test_instances_have_names_of_their_own_under_one_stem() -> None:
    """One list of the stem shows them all."""
    names = named(TWO)

    assert names.name("a") != names.name("b")
    assert names.name("a").startswith(names.stem)
    assert names.name("b").startswith(names.stem)


def test_a_wanted_name_is_taken_as_it_is_for_one_instance() -> None:
    """The API page's mybackup1 is called mybackup1."""
    assert named(BackupRequest(instance_id="a", name="mybackup1")).name("a") == "mybackup1"


def test_a_wanted_name_for_several_instances_gets_a_digest_each() -> None:
    """Names are unique in a project."""
    names = named(BackupRequest(instance_ids=("a", "b"), name="mybackup1"))

    assert names.name("a").startswith("mybackup1-")
    assert names.name("a") != names.name("b")


def test_a_wanted_name_on_a_timer_stands_for_the_prefix() -> None:
    """The payload of a timer never changes: taken as it is, every tick after the first would be a conflict."""
    request = BackupRequest(instance_id="a", name="nightly")

    assert named(request, recurring=True).name("a").startswith("nightly-20230601T003000Z-")


@pytest.mark.parametrize(
    ("request_", "recurring", "room"),
    [
        (BackupRequest(instance_ids=("a", "b"), name="n" * 56), False, 55),
        (BackupRequest(instance_id="a", name="n" * 26), True, 25),
    ],
)
def test_a_wanted_name_that_leaves_no_room_is_refused(request_: BackupRequest, *, recurring: bool, room: int) -> None:
    """The answer says how much room there is, and why."""
    with pytest.raises(InvalidRequestError, match=rf"^name: must be at most {room} characters here, since"):
        named(request_, recurring=recurring)


_TIMES = st.datetimes(timezones=st.just(timezone.utc), min_value=datetime(1000, 1, 1))  # noqa: DTZ001 it adds the zone


@given(
    st.from_regex(rf"\A[A-Za-z][A-Za-z0-9_-]{{0,{MAX_PREFIX - 1}}}\Z"),
    st.lists(st.text(), min_size=1).map(tuple),
    st.none() | _TIMES,
    st.lists(st.text(min_size=1), min_size=1, unique=True),
)
def test_every_name_obeys_the_api_page(
    prefix: str, identity: tuple[str, ...], time: datetime | None, instances: list[str]
) -> None:
    """Whatever the event, table 2 is kept, and no two instances share a name."""
    names = name_request(ONE, identity, time, prefix=prefix)

    made = {names.name(instance) for instance in instances}
    assert len(made) == len(instances)
    for name in made:
        assert BackupRequest(instance_id="i", name=name).wanted_name == name


@given(st.lists(st.text()), st.lists(st.text()))
def test_digests_tell_identities_apart(one: list[str], other: list[str]) -> None:
    """Also ("ab", "c") from ("a", "bc")."""
    assert (digest(*one) == digest(*other)) is (one == other)


@given(st.text(alphabet=st.characters(exclude_characters="><!\"&'=", exclude_categories=("Cc", "Cs")), max_size=256))
def test_a_description_keeps_the_rules_and_the_key(text: str) -> None:
    """At most 256 characters, the key at the end, the text before it as far as there is room."""
    names = named()

    description = names.description(text)

    assert BackupRequest(instance_id="i", description=description).wanted_description == description
    assert key_of(description) == names.key
    assert description.startswith(text) is not names.cuts(text)


@pytest.mark.parametrize(
    "description", [None, "", "by hand", "key:123", f"key:{'a' * 32} and more", f"monkey:{'a' * 32}"]
)
def test_other_descriptions_have_no_key(description: str | None) -> None:
    """A backup that somebody else made is never taken for one of ours."""
    assert key_of(description) is None


def test_a_key_in_the_text_does_not_pass_for_the_events() -> None:
    """Only the last one counts."""
    names = named()

    assert key_of(names.description(f"key:{'a' * 32}")) == names.key
