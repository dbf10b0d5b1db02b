"""Settings that no sender can widen: the instances and backups that the functions may touch."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.bootstrap import Function, audit_backups, create_backup, prune_backups, track_backups
from shared.errors import SettingsError
from shared.fleet import Fence
from shared.model import Backup, Instance
from tests.fakes import (
    INSTANCES,
    START,
    A,
    FakeClock,
    FakeCloud,
    FakeContext,
    FakeDds,
    FakeInstances,
    FakeTopic,
    Steady,
    fake_connect,
)


B = INSTANCES[1]
KEY = "0" * 32
TOPIC = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"
FUNCTIONS: dict[str, Callable[..., Function[Any]]] = {
    "create_backup": create_backup,
    "track_backups": track_backups,
    "prune_backups": prune_backups,
    "audit_backups": audit_backups,
}


class Project:
    """Two instances with three old backups each, and any of the four functions."""

    def __init__(self, description: str = f"key:{KEY}") -> None:
        self.clock = FakeClock()
        self.dds = FakeDds(self.clock, instances=[A, B])
        self.dds.backups = [
            Backup(f"{i[:3]}-{i[-6:]}-{n}", "n", i, "COMPLETED", START - timedelta(days=n), description)
            for i in (A, B)
            for n in (2, 3, 4)
        ]
        self.topic = FakeTopic()
        self.cloud = FakeCloud(self.dds, self.topic, FakeInstances([Instance(A, "a"), Instance(B, "b")]))

    def call(self, name: str, event: object, **settings: str) -> Any:
        context = FakeContext({"NOTIFY_TOPIC_URN": TOPIC, **settings})
        function = FUNCTIONS[name](connect=fake_connect(self.cloud), clock=self.clock, rng=Steady(), environment={})
        return function.handle(event, context)

    def left(self, instance_id: str) -> int:
        return sum(backup.instance_id == instance_id for backup in self.dds.backups)


PRUNE = {"RETENTION": "last=1", "DRY_RUN": "false"}


def test_no_request_prunes_another_instance() -> None:
    """Named, it is rejected; otherwise its backups are not even seen."""
    project = Project()

    named = project.call("prune_backups", {"instance_ids": [B], "force": True}, ALLOWED_INSTANCES=A, **PRUNE)
    project.call("prune_backups", {"force": True}, ALLOWED_INSTANCES=A, **PRUNE)

    assert named["rejected"][0]["code"] == "not_allowed"
    assert (project.left(A), project.left(B)) == (1, 3)


def test_no_selector_reaches_another_instance() -> None:
    """The selector sees the allowed instances alone."""
    project = Project()

    report = project.call("create_backup", {"select": {"name": "*"}}, ALLOWED_INSTANCES=A)

    assert [result["instance_id"] for result in report["results"]] == [A]


def test_no_question_reaches_another_instance() -> None:
    """A backup of another instance is unknown to track_backups."""
    project = Project()

    answers = [
        project.call("track_backups", {"backup_id": backup.id}, ALLOWED_INSTANCES=A)["state"]
        for backup in (project.dds.backups[0], project.dds.backups[-1])
    ]

    assert answers == ["COMPLETED", "UNKNOWN"]


def test_no_policy_reaches_another_instance() -> None:
    """For audit_backups another instance does not exist."""
    policy = {"name": "p", "instance_ids": [A, B], "expected_interval": "9d"}

    report = Project().call("audit_backups", {"policies": [policy]}, ALLOWED_INSTANCES=A)

    assert report["audits"][0]["unknown_instances"] == [{"policy": "p", "instance_id": B, "code": "not_found"}]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_empty_fence_is_an_error(name: str) -> None:
    """An unset variable of a template must not allow everything."""
    function = FUNCTIONS[name](environment={"NOTIFY_TOPIC_URN": TOPIC, "ALLOWED_INSTANCES": ""})

    with pytest.raises(SettingsError, match="ALLOWED_INSTANCES"):
        function.start(FakeContext())


@pytest.mark.parametrize(
    ("description", "settings", "left"),
    [
        (f"key:{KEY}", {}, 1),
        (f"key:{KEY}", {"STACK": "mine"}, 3),
        (f"key:{KEY}", {"STACK": "mine", "ADOPT_UNMARKED": "true"}, 1),
        (f"stack:mine;key:{KEY}", {"STACK": "mine"}, 1),
        (f"a text;stack:mine;key:{KEY}", {"STACK": "mine"}, 1),
        (f"stack:other;key:{KEY}", {"STACK": "mine"}, 3),
        (f"stack:other;key:{KEY}", {"STACK": "mine", "ADOPT_UNMARKED": "true"}, 3),
        (f"stack:other;key:{KEY}", {}, 3),
    ],
    ids=range(8),
)
def test_a_deployment_prunes_its_own_backups_alone(description: str, settings: dict[str, str], left: int) -> None:
    """Backups without the name of a deployment are adopted only by ADOPT_UNMARKED."""
    project = Project(description)

    project.call("prune_backups", {"force": True}, **settings, **PRUNE)

    assert project.left(A) == left


DRILL = f"drill-20261124T060000Z-{7:032x}"


def test_a_backup_of_a_drills_instance_is_not_pruned() -> None:
    """It is not in the plan, and it does not count as newest, as kept or as deleted."""
    project = Project()
    project.dds.backups = [replace(b, instance_name=DRILL if b.instance_id == A else "b") for b in project.dds.backups]

    report = project.call("prune_backups", {"force": True}, **PRUNE)

    assert (project.left(A), project.left(B)) == (3, 1)
    assert report["runs"][0]["totals"]["instances"] == 1


def test_a_backup_of_a_drills_instance_is_not_followed() -> None:
    """Its end is not published, but a question about it is answered."""
    project = Project()
    project.dds.backups = [
        replace(b, instance_name=DRILL if b.instance_id == A else "b", end_time=b.begin_time)
        for b in project.dds.backups
    ]

    project.call("track_backups", {"since": (START - timedelta(days=5)).isoformat()}, FOLLOW_FOR="6d")

    assert {json.loads(n.body)["data"]["instance_id"] for n in project.topic.sent} == {B}
    assert project.call("track_backups", {"backup_id": project.dds.backups[0].id})["state"] == "COMPLETED"


@pytest.mark.parametrize(
    ("name", "is_own"), [("a", True), ("", True), (DRILL, False), (f"{DRILL}-2", True), (f"a-{DRILL}", True)]
)
@pytest.mark.parametrize("fence", [Fence(("*",)), Fence(("*",), "mine", adopts=True)])
def test_a_backup_of_a_drills_instance_is_nobodys(fence: Fence, name: str, is_own: bool) -> None:
    """It looks like one that somebody else made, in every deployment."""
    backup = replace(Project().dds.backups[0], instance_name=name)

    assert fence.own(backup) == (backup if is_own else replace(backup, description=None))


def test_a_backup_has_the_name_of_its_deployment() -> None:
    """It stands before the event key in the description."""
    project = Project()

    project.call("create_backup", {"instance_id": A, "description": "x" * 256}, STACK="mine")

    description = str(project.dds.backups[-1].description)
    assert ";stack:mine;key:" in description
    assert len(description) == 256


def test_the_operators_min_interval_holds_for_every_request() -> None:
    """A request can only ask for a longer one."""
    project = Project()

    reports = [
        project.call("create_backup", {"instance_id": A} | wish, MIN_INTERVAL="3d")
        for wish in ({}, {"min_interval": "1h"}, {"min_interval": "9d"})
    ]

    assert [report["results"][0]["code"] for report in reports] == ["min_interval"] * 3


def test_an_event_exceeds_max_instances_only_once() -> None:
    """The messages that still fit are carried out, the one that does not is rejected."""
    project = Project()
    messages = [json.dumps({"instance_ids": ids}) for ids in ([A], [A, B], [B])]
    event = {"trigger_type": "KAFKA", "event_time": 1, "records": [{"topic_id": "t", "messages": messages}]}

    report = project.call("create_backup", event, MAX_INSTANCES="2", ON_BUSY="skip")

    assert [result["instance_id"] for result in report["results"]] == [A, B]
    assert report["rejected"][0]["code"] == "too_many_instances"
