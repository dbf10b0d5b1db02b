"""Calls that make or change an instance are allowed in the enterprise project of the drills, and nowhere else."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.permissions.agencies import Agency, confined_policy, custom_policy, identity_policy
from shared.cloud.operations import OPERATIONS
from tests.permissions.test_agencies import function, of


PLACE = "8f1c2d3e-0000-4000-8000-000000000001"
CONFINED = sorted(name for name, operation in OPERATIONS.items() if operation.is_confined)


def drill(tmp_path: Path, place: str) -> Agency:
    """The agency of a function that makes instances in the enterprise project `place`."""
    variables = {"Variables": {"DRILL_ENTERPRISE_PROJECT_ID": place}}
    (agency,) = of(tmp_path, Drill=function("drill", "DDS.ListInstances", *CONFINED, Environment=variables))
    return agency


def actions(policy: Any) -> set[str]:
    """The actions that a policy allows."""
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def test_every_call_that_changes_an_instance_is_confined() -> None:
    """What writes is confined, except making and deleting backups, and telling."""
    assert sorted(name for name, one in OPERATIONS.items() if one.writes and not one.is_confined) == [
        "DDS.CreateManualBackup",
        "DDS.DeleteManualBackup",
        "SMN.PublishMessage",
    ]


def test_without_an_enterprise_project_nothing_is_allowed(tmp_path: Path) -> None:
    """An agency may make and change no instance before there is a place for it."""
    agency = drill(tmp_path, "")

    assert actions(custom_policy(agency)) == {"dds:instance:list"}
    assert confined_policy(agency) is None
    assert actions(identity_policy(agency)) == {"dds:instance:listAll"}
    assert [operation.name for operation in agency.withheld] == CONFINED


def test_a_custom_policy_of_its_own_has_the_confined_actions(tmp_path: Path) -> None:
    """The policy on the project only reads: instances, and the network that a new one needs."""
    agency = drill(tmp_path, PLACE)

    read = {"vpc:ports:get", "vpc:securityGroups:get", "vpc:subnets:get", "vpc:vpcs:get", "vpc:vpcs:list"}
    assert actions(custom_policy(agency)) == {"dds:instance:list", *read}
    assert actions(confined_policy(agency)) == {
        "dds:instance:create",
        "dds:instance:deleteInstance",
        "dds:instance:modify",
        "dds:instance:reboot",
        "dds:instance:resetPasswd",
    }
    assert agency.withheld == ()


def test_an_identity_policy_confines_by_a_condition(tmp_path: Path) -> None:
    """DDS has no condition for making an instance, so only the changes are confined."""
    policy: Any = identity_policy(drill(tmp_path, PLACE))

    assert policy["Statement"] == [
        {"Effect": "Allow", "Action": ["dds:instance:create", "dds:instance:listAll"], "Resource": ["*"]},
        {
            "Effect": "Allow",
            "Action": [
                "dds:instance:delete",
                "dds:instance:resetPasswd",
                "dds:instance:resetPassword",
                "dds:instance:restart",
                "dds:instance:setTag",
            ],
            "Resource": ["*"],
            "Condition": {"StringEquals": {"g:EnterpriseProjectId": [PLACE]}},
        },
    ]


def test_no_operation_restores_over_an_instance() -> None:
    """Neither model has such an action in any operation."""
    names = {name for one in OPERATIONS.values() for name in (one.action, one.identity_action, *one.other_names)}

    assert not names & {"dds:instance:restore", "dds:backup:refreshInstanceFromBackup"}


@pytest.mark.parametrize("place", ["", PLACE])
def test_the_command_prints_where_each_policy_belongs(tmp_path: Path, place: str) -> None:
    """The second policy is named with its enterprise project; without one, what is not allowed is named."""
    drill(tmp_path, place)
    template = ["--template", str(tmp_path / "template.yaml")]

    shown = CliRunner().invoke(main, ["permissions", *template])
    (document,) = json.loads(CliRunner().invoke(main, ["permissions", *template, "--json"]).stdout)

    assert (document["enterprise_project"], bool(document["enterprise_project_policy"])) == (place or None, bool(place))
    said = f"drill-instances only in the enterprise project {PLACE}" if place else "Nothing allows DDS.BatchTagAction,"
    assert said in shown.stderr


def test_the_command_prints_one_identity_policy(tmp_path: Path) -> None:
    """An identity policy needs no second one."""
    drill(tmp_path, PLACE)

    ran = CliRunner().invoke(
        main, ["permissions", "--template", str(tmp_path / "template.yaml"), "--identity-policy", "--json"]
    )

    (document,) = json.loads(ran.stdout)
    assert document["enterprise_project_policy"] is None
    assert "Condition" in json.dumps(document["policy"])
