"""`ddsbackup explain selector`: which instances a selector selects, and why not the others."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.errors import WrongCall
from cli.explain.selector import choose, read_selectors
from localcloud import LocalCloud
from shared.drills import is_drill
from shared.fleet import Fence, Selector
from shared.model import Instance
from tests.explain.conftest import Explain
from tests.fakes import INSTANCES, A, FakeInstances


ALL = Fence(("*",))
DRILL = f"drill-20261124T020000Z-{'0' * 32}"
ORDERS = Instance(A, "orders", mode="Sharding", tags={"env": "production", "team": "a"}, enterprise_project_id="0")


def failing(selector: dict[str, object], instance: Instance = ORDERS, fence: Fence = ALL) -> list[str]:
    """The names of the criteria that an instance does not meet."""
    (choice,) = choose("", Selector.model_validate(selector), [instance], fence).choices
    return [one.name for one in choice.failing]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ({"tags": {"env": ["production"]}}, []),
        ({"tags": {"env": []}}, []),
        ({"tags": {"env": ["staging", "test"]}}, ["tags.env"]),
        ({"tags": {"tier": []}}, ["tags.tier"]),
        ({"name": "pay*"}, ["name"]),
        ({"mode": ["ReplicaSet"]}, ["mode"]),
        ({"enterprise_project_id": "7"}, ["enterprise_project_id"]),
        ({"name": "*", "exclude": ["ord*", "x"]}, ["exclude"]),
        (
            {"tags": {"env": ["x"], "team": ["b"]}, "name": "y", "exclude": [A]},
            ["tags.env", "tags.team", "name", "exclude"],
        ),
    ],
)
def test_every_failing_criterion_is_named(selector: dict[str, object], names: list[str]) -> None:
    """In the order of the selector's fields."""
    assert failing(selector) == names


def test_the_fence_and_drills_are_criteria_too() -> None:
    """ALLOWED_INSTANCES comes from the settings, and a drill is told by its name."""
    drill = Instance(A, DRILL, tags={"env": "production"})

    assert failing({"name": "*"}, drill, Fence(("nothing",))) == ["ALLOWED_INSTANCES", "drill"]


words = st.sampled_from(["orders", "pay", "a", "b", ""])
instances = st.builds(
    Instance,
    id=st.sampled_from(INSTANCES),
    name=words | st.just(DRILL),
    mode=st.sampled_from(["Sharding", "ReplicaSet", "Single"]),
    tags=st.dictionaries(words, words, max_size=2),
    enterprise_project_id=words,
)
selectors = st.builds(
    Selector,
    tags=st.dictionaries(words.filter(bool), st.lists(words, max_size=2).map(tuple), max_size=2),
    name=st.sampled_from(["*", "o*", "?", "pay"]),
    mode=st.lists(st.sampled_from(["Sharding", "ReplicaSet"]), max_size=2).map(tuple),
    enterprise_project_id=st.none() | words.filter(bool),
    exclude=st.lists(st.sampled_from(["o*", "[ab]", A]), max_size=2).map(tuple),
)


@settings(max_examples=50)
@given(selector=selectors, listed=st.lists(instances, max_size=5), allowed=st.sampled_from(["*", A, "*in03"]))
def test_an_instance_is_selected_exactly_if_no_criterion_fails(
    selector: Selector, listed: list[Instance], allowed: str
) -> None:
    """As create_backup selects: among the instances within its fence, without those of drills."""
    fence = Fence((allowed,))
    known = {instance.id: instance for instance in listed}.values()

    choices = choose("", selector, listed, fence).choices

    within = [instance for instance in known if fence.allows(instance.id) and not is_drill(instance)]
    assert [choice.instance for choice in choices if choice.is_selected] == selector.choose(within)
    assert len(choices) == len(known)


@pytest.mark.usefixtures("dds")
def test_the_page(explain: Explain, instances: FakeInstances) -> None:
    """Selected instances first, then every other one with what is expected and what was found."""
    instances.known = [
        ORDERS,
        Instance(INSTANCES[1], "pay", status="frozen", tags={"env": "production"}),
        Instance(INSTANCES[2], "x"),
    ]

    ran = explain("selector", '{"tags": {"env": ["production"]}, "exclude": ["ord*"]}', "--cloud", "local")

    assert ran.lines == [
        '{"tags": {"env": ["production"]}, "exclude": ["ord*"]}',
        "",
        "Selects 1 of 3 instances",
        f"  + pay  {INSTANCES[1]}",
        "      ! create_backup skips it: its status is frozen, not normal",
        "",
        "Leaves out",
        f"  - orders  {A}",
        "      exclude: expected not ord*; found orders",
        f"  - x  {INSTANCES[2]}",
        "      tags.env: expected production; found no such tag",
        "",
    ]


@pytest.mark.usefixtures("dds")
def test_json(explain: Explain, instances: FakeInstances) -> None:
    """The first and all failing criteria of each instance."""
    instances.known = [ORDERS]

    document = explain("selector", '{"name": "x", "mode": ["Single"]}', "--region", "cn-north-4", "--json").json

    assert (document["version"], document["explains"]) == (1, "selector")
    (selection,) = document["selections"]
    assert (selection["selected"], selection["selector"]) == (0, {"name": "x", "mode": ["Single"]})
    assert selection["instances"][0]["first_failing"] == "name"
    assert [one["criterion"] for one in selection["instances"][0]["failing"]] == ["name", "mode"]


@pytest.mark.usefixtures("dds")
@pytest.mark.parametrize("form", ["argument", "file", "standard input"])
def test_an_event_may_hold_the_selector(explain: Explain, tmp_path: Path, form: str) -> None:
    """A timer's, here, with two policies of audit_backups, from wherever it comes."""
    policies = [{"name": name, "select": {"name": name}, "expected_interval": "1d"} for name in ("db-1", "db-2")]
    text = json.dumps(
        {
            "trigger_type": "TIMER",
            "trigger_name": "Morning",
            "time": "2026-06-01T06:00:00Z",
            "user_event": json.dumps({"policies": policies}),
        }
    )
    (tmp_path / "event.json").write_text(text, encoding="utf-8")
    given = {"argument": text, "file": str(tmp_path / "event.json"), "standard input": "-"}[form]

    document = explain("selector", given, "--cloud", "local", "--json", stdin=text).json

    assert [(one["place"], one["selected"]) for one in document["selections"]] == [
        ("user_event.policies.db-1", 1),
        ("user_event.policies.db-2", 1),
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tags": {"a": []}, "exlude": []}, "exlude: unknown field .did you mean exclude"),
        ({"instance_ids": [A]}, "event names its instances by id"),
        ({"select": {}}, "give tags, name, mode or enterprise_project_id"),
        ({}, "unknown kind of event"),
        ([], "unknown kind of event"),
        ("x", "unknown kind of event"),
    ],
)
def test_what_is_no_selector_is_explained(given: object, message: str) -> None:
    """The message has the faults."""
    with pytest.raises(WrongCall, match=message):
        read_selectors(given)  # type: ignore[arg-type]  # what a user may write


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{", "not JSON: "),
        ("nowhere.json", "cannot read the selector nowhere.json"),
        ("-", "standard input is not JSON: it is empty"),
    ],
)
def test_what_cannot_be_read_is_explained(explain: Explain, given: str, message: str) -> None:
    """The exit status is 2."""
    ran = explain("selector", given, "--cloud", "local")

    assert (ran.status, message in ran.err) == (2, True)


@pytest.mark.slow
def test_the_list_of_instances_is_the_only_call(explain: Explain, cloud: LocalCloud) -> None:
    """On a cloud over HTTP."""
    ran = explain("selector", '{"tags": {"env": ["production"]}}', "--cloud", cloud.url)

    assert "Selects 5 of 15 instances" in ran.lines
    calls = {(request["method"], request["path"].rpartition("/")[2]) for request in cloud.requests()}
    assert calls == {("GET", "instances"), ("POST", "securitytokens")}
