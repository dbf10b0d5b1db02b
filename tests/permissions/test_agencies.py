"""From the permissions of a template to the agencies and their policies."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.errors import WrongCall
from cli.paths import CHECKOUT
from cli.permissions.agencies import Agency, agencies, custom_policy, identity_policy
from cli.template.load import load_template
from shared.cloud.operations import LIST_BACKUPS, LIST_INSTANCES, PUBLISH_MESSAGE


TOPIC = {"Destination": "SMN", "Param": {"topic_urn": "urn:smn:cn-north-4:6e1f0c2bb77b5b3f8f2e6c555d0e8f5d:told"}}
KAFKA = {"Type": "KAFKA", "Properties": {"instance_id": "1", "topic_ids": ["t"], "batch_size": 1}}
VPC = {"VpcId": "v", "SubnetId": "s"}


def function(agency: str | None, *permissions: str, events: Any = None, **properties: Any) -> dict[str, Any]:
    """A function of a template."""
    given: dict[str, Any] = {"CodeUri": ".", "Handler": "index.handler", "Runtime": "Python3.10", **properties}
    given |= {"Agency": agency} if agency else {}
    given |= {"Permissions": [*permissions]} if permissions else {}
    return {"Type": "HC::Serverless::Function", "Properties": given, "Events": events or {}}


def of(tmp_path: Path, **functions: Any) -> tuple[Agency, ...]:
    """The agencies of a template with these functions."""
    (tmp_path / "index.py").write_text("def handler(event, context): ...\n", encoding="utf-8")
    (tmp_path / "template.yaml").write_text(yaml.safe_dump({"Resources": functions}), encoding="utf-8")
    return agencies(load_template(tmp_path / "template.yaml"))


def test_functions_that_share_an_agency_share_what_any_of_them_needs(tmp_path: Path) -> None:
    """An agency has each operation of its functions once, and nothing of another agency's."""
    first, second = of(
        tmp_path,
        One=function("both", "DDS.ListBackups", "SMN.PublishMessage"),
        Two=function("both", "DDS.ListInstances", "SMN.PublishMessage"),
        Three=function("third", "DDS.ListBackups"),
    )

    assert (first.name, first.functions) == ("both", ("One", "Two"))
    assert first.operations == (LIST_BACKUPS, LIST_INSTANCES, PUBLISH_MESSAGE)
    assert (second.name, second.functions, second.operations) == ("third", ("Three",), (LIST_BACKUPS,))


def test_an_agency_without_permissions_is_managed_elsewhere(tmp_path: Path) -> None:
    """An agency whose functions have no permissions exists already, and a function without an agency needs none."""
    assert of(tmp_path, One=function("theirs"), Two=function(None)) == ()


def test_an_unknown_operation_names_the_known_ones(tmp_path: Path) -> None:
    """The error for a misspelt operation has a suggestion and lists all operations."""
    with pytest.raises(WrongCall) as caught:
        of(tmp_path, One=function("one", "DDS.ListBackup"))

    said = "Resources.One.Properties.Permissions.0: found 'DDS.ListBackup', which is not an operation"
    assert f"{said}, did you mean 'DDS.ListBackups'?" in str(caught.value)
    assert "Known: DDS.CreateManualBackup, DDS.DeleteManualBackup, DDS.ListBackups, " in str(caught.value)


def test_permissions_need_an_agency(tmp_path: Path) -> None:
    """Permissions without an agency are an error."""
    with pytest.raises(WrongCall, match=r"One\.Properties\.Permissions: found no Agency"):
        of(tmp_path, One=function(None, "DDS.ListBackups"))


def test_a_custom_policy_allows_each_action_once(tmp_path: Path) -> None:
    """Two operations that need the same action give one entry, in the form that the console takes."""
    (agency,) = of(tmp_path, One=function("one", "DDS.ShowJobDetail", "DDS.ListTasks"))

    assert custom_policy(agency) == {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["dds:task:list"]}]}


def test_an_identity_policy_has_the_newer_names_and_any_resource(tmp_path: Path) -> None:
    """An identity policy has other names for the same actions, and requires a resource."""
    (agency,) = of(tmp_path, One=function("one", "DDS.ShowJobDetail", "DDS.CreateManualBackup"))

    assert identity_policy(agency) == {
        "Version": "5.0",
        "Statement": [
            {"Effect": "Allow", "Action": ["dds:backup:create", "dds:task:getDetail"], "Resource": ["*"]},
        ],
    }


def test_an_identity_policy_names_the_topics(tmp_path: Path) -> None:
    """Publishing is allowed to the topics of the settings and destinations only. What is not known is a wildcard."""
    (tmp_path / "index.py").write_text("def handler(event, context): ...\n", encoding="utf-8")
    settings = {"NOTIFY_TOPIC_URN": "${Told}", "REQUEST_TOPIC_URN": "${Requests}"}
    template = {
        "Parameters": {"Prefix": {"Type": "String", "Default": "dds"}, "Stage": {"Type": "String"}},
        "Resources": {
            "Told": {"Type": "HC::SMN::Topic", "Properties": {"Name": "${Prefix}-told"}},
            "Requests": {"Type": "HC::SMN::Topic", "Properties": {"Name": "${Stage}-requests"}},
            "Other": {"Type": "HC::SMN::Topic", "Properties": {"Name": "other"}},
            "One": function(
                "one",
                "DDS.ListBackups",
                "SMN.PublishMessage",
                Environment={"Variables": settings},
                AsyncInvoke={"OnFailure": TOPIC},
            ),
        },
    }
    (tmp_path / "template.yaml").write_text(yaml.safe_dump(template), encoding="utf-8")
    (agency,) = agencies(load_template(tmp_path / "template.yaml"))

    topics = ["smn:*:*:topic:*-requests", "smn:*:*:topic:*dds-told", "smn:cn-north-4:*:topic:*told"]
    assert identity_policy(agency)["Statement"] == [
        {"Effect": "Allow", "Action": ["dds:backup:listAll", "smn:topic:listTopic"], "Resource": ["*"]},
        {"Effect": "Allow", "Action": ["smn:topic:publish"], "Resource": topics},
    ]


@pytest.mark.parametrize("settings", [{}, {"NOTIFY_TOPIC_URN": "${Urn}"}])
def test_an_unknown_topic_is_any_topic(tmp_path: Path, settings: dict[str, str]) -> None:
    """The template does not say where the function publishes."""
    (tmp_path / "index.py").write_text("def handler(event, context): ...\n", encoding="utf-8")
    one = function("one", "SMN.PublishMessage", Environment={"Variables": settings})
    template = {"Parameters": {"Urn": {"Type": "String"}}, "Resources": {"One": one}}
    (tmp_path / "template.yaml").write_text(yaml.safe_dump(template), encoding="utf-8")
    (agency,) = agencies(load_template(tmp_path / "template.yaml"))

    assert identity_policy(agency)["Statement"] == [
        {"Effect": "Allow", "Action": ["smn:topic:publish"], "Resource": ["smn:*:*:topic:*"]}
    ]


def test_an_smn_destination_needs_what_functiongraph_calls(tmp_path: Path) -> None:
    """FunctionGraph lists topics and publishes under the function's agency, even if the code never does."""
    (agency,) = of(tmp_path, One=function("one", "DDS.ListBackups", AsyncInvoke={"OnFailure": TOPIC}))

    assert agency.actions == ("dds:backup:list", "smn:topic:list", "smn:topic:publish")
    assert {need.reason for need in agency.platform} == {"sends to an SMN topic"}


def test_a_function_in_a_vpc_needs_access_to_it(tmp_path: Path) -> None:
    """FunctionGraph creates a port under the function's agency. The NAT gateway is left to the user."""
    (agency,) = of(tmp_path, One=function("one", "DDS.ListBackups", VpcConfig=VPC))

    assert {"vpc:ports:create", "vpc:subnets:get", "vpc:vpcs:get"} < set(agency.actions)
    assert {need.reason for need in agency.platform} == {"reaches into a VPC"}
    assert ["One is in a VPC and reaches DDS and SMN only through it" in sentence for sentence in agency.by_hand] == [
        True
    ]


def test_a_kafka_trigger_needs_to_read_its_instance(tmp_path: Path) -> None:
    """The agency also needs access to the VPC."""
    (agency,) = of(tmp_path, One=function("one", "DDS.ListBackups", events={"Queue": KAFKA}, VpcConfig=VPC))

    assert {"dms:instance:get", "vpc:ports:create"} < set(agency.actions)


def test_what_no_policy_can_allow_is_left_to_the_user(tmp_path: Path) -> None:
    """OBS is a global service and DIS has no fine-grained actions, so a sentence says what to add."""
    (agency,) = of(
        tmp_path,
        One=function(
            "one",
            "DDS.ListBackups",
            AsyncInvoke={
                "OnSuccess": {"Destination": "OBS", "Param": {"bucket": "b"}},
                "OnFailure": {"Destination": "DIS", "Param": {"stream_name": "s"}},
            },
        ),
    )

    assert agency.actions == ("dds:backup:list",)
    assert [sentence[:20] for sentence in agency.by_hand] == ["One sends to OBS, a ", "One sends to DIS, wh"]


def test_every_function_has_a_failure_destination() -> None:
    """FunctionGraph notifies the topic of every event that it gives up, and each agency allows it."""
    template = load_template(CHECKOUT / "template.yaml")

    destinations = [function.async_invoke and function.async_invoke.on_failure for function in template.functions]
    assert [one and (one.destination, one.param) for one in destinations] == [
        ("SMN", {"topic_urn": "${FailureTopic}"})
    ] * 5
    assert all("smn:topic:list" in agency.actions for agency in agencies(template))


def test_the_application_names_its_topic() -> None:
    """No agency may publish to a topic other than these two."""
    template = load_template(CHECKOUT / "template.yaml")

    assert {agency.topics for agency in agencies(template)} == {
        ("smn:*:*:topic:*dds-backup", "smn:*:*:topic:*dds-backup-failures")
    }


def test_the_application_keeps_its_functions_apart() -> None:
    """Only one agency may create backups, and only one other may delete them."""
    found = {agency.name: agency.actions for agency in agencies(load_template(CHECKOUT / "template.yaml"))}

    assert [name for name, actions in found.items() if "dds:instance:createManualBackup" in actions] == [
        "dds-backup-create"
    ]
    assert [name for name, actions in found.items() if "dds:backup:delete" in actions] == ["dds-backup-prune"]
    assert all(not action.endswith("*") for actions in found.values() for action in actions)
