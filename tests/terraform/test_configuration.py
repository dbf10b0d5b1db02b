"""The Terraform configuration of a template."""

from pathlib import Path
from typing import Any

import pytest

from cli.errors import WrongCall
from cli.paths import CHECKOUT
from cli.template.load import load_template
from cli.terraform.check import problems
from cli.terraform.expressions import snake_case
from cli.terraform.provider import read_provider
from cli.terraform.resources import Target
from tests.terraform.templates import Make, bodies, everything, function, in_json, made_of, values, write


def test_function(make: Make) -> None:
    """A function has the template's settings, its zip, and references to its agency, log stream and VPC."""
    assert bodies(make(), "fgs_function")["worker"] == {
        "name": "worker",
        "app": "default",
        "functiongraph_version": "v2",
        "runtime": "Python3.12",
        "handler": "index.handler",
        "memory_size": 128,
        "timeout": 3,
        "enterprise_project_id": "${var.enterprise_project_id}",
        "description": "Works.",
        "initializer_handler": "index.initializer",
        "initializer_timeout": 3,
        "agency": "${huaweicloud_identity_agency.prefix_worker.name}",
        "vpc_id": "${var.vpc_id}",
        "network_id": "${var.prefix}-subnet",
        "enable_lts_log": True,
        "log_group_id": "${huaweicloud_lts_group.logs.id}",
        "log_group_name": "${huaweicloud_lts_group.logs.group_name}",
        "log_stream_id": "${huaweicloud_lts_stream.worker.id}",
        "log_stream_name": "${huaweicloud_lts_stream.worker.stream_name}",
        "code_type": "zip",
        "code_filename": "worker.zip",
        "func_code": '${filebase64("${path.module}/worker.zip")}',
        "user_data": "${jsonencode(local.environment.worker)}",
    }


def test_function_with_defaults(make: Make) -> None:
    """What the template omits is left to FunctionGraph. An agency without permissions is created elsewhere."""
    made = make()
    helper = bodies(made, "fgs_function")["helper"]
    assert helper["agency"] == "made-elsewhere"
    assert not {"description", "initializer_handler", "log_group_id", "user_data", "vpc_id"} & helper.keys()
    assert list(bodies(made, "identity_agency")) == ["prefix_worker"]
    assert list(bodies(made, "fgs_async_invoke_configuration")) == ["worker"]


def test_variables_of_the_function(make: Make) -> None:
    """Variables are sorted texts, with references to topics and parameters. A number becomes a text."""
    assert values(make())["environment"] == {
        "worker": {
            "A": "1",
            "B": "x",
            "SIZE": "${tostring(var.size)}",
            "TOPIC": "${huaweicloud_smn_topic.requests.topic_urn}",
        }
    }


def test_asynchronous_invocations(make: Make) -> None:
    """Zero attempts stay zero, and the age that the template omits is FunctionGraph's default."""
    made = make()
    assert bodies(made, "fgs_async_invoke_configuration")["worker"] == {
        "function_urn": "${huaweicloud_fgs_function.worker.urn}",
        "max_async_event_age_in_seconds": 3600,
        "max_async_retry_attempts": 0,
        "on_success": [{"destination": "OBS", "param": "${jsonencode(local.destinations.worker.on_success)}"}],
        "on_failure": [{"destination": "SMN", "param": "${jsonencode(local.destinations.worker.on_failure)}"}],
    }
    assert values(made)["destinations"]["worker"] == {
        "on_success": {"bucket": "b", "prefix": "/ok", "expires": 5},
        "on_failure": {"topic_urn": "${huaweicloud_smn_topic.requests.topic_urn}"},
    }


def test_agency_and_policy(make: Make) -> None:
    """The agency trusts FunctionGraph, and has a policy for what the functions call in their project."""
    made = make()
    assert bodies(made, "identity_agency")["prefix_worker"] == {
        "name": "${var.prefix}-worker",
        "description": "Lets FunctionGraph act for the functions.",
        "delegated_service_name": "op_svc_cff",
        "project_role": [
            {
                "project": "${coalesce(var.project_name, var.region)}",
                "roles": ["${huaweicloud_identity_role.prefix_worker.name}"],
            }
        ],
    }
    policy = bodies(made, "identity_role")["prefix_worker"]
    assert (policy["type"], policy["policy"]) == ("XA", "${jsonencode(local.policies.prefix_worker)}")
    (statement,) = values(made)["policies"]["prefix_worker"]["Statement"]
    assert {"dds:backup:list", "smn:topic:publish"} < set(statement["Action"])


def test_topic_and_subscriptions(make: Make) -> None:
    """Subscriptions are named after their endpoints, so that their order does not matter."""
    made = make()
    assert bodies(made, "smn_topic")["requests"]["name"] == "${var.prefix}-requests"
    assert bodies(made, "smn_subscription") == {
        "requests_email_ops_example_com": {
            "topic_urn": "${huaweicloud_smn_topic.requests.topic_urn}",
            "protocol": "email",
            "endpoint": "ops@example.com",
            "remark": "Operations",
        },
        "requests_https_https_example_com_prefix": {
            "topic_urn": "${huaweicloud_smn_topic.requests.topic_urn}",
            "protocol": "https",
            "endpoint": "https://example.com/${var.prefix}",
        },
    }


def test_a_filter_policy(make: Make) -> None:
    """It is a resource of its own, by the name of its subscription."""
    template = everything()
    [email, _] = template["Resources"]["Requests"]["Properties"]["Subscriptions"]
    email["FilterPolicy"] = {"severity": ["warning", "error"]}
    assert bodies(make(template), "smn_subscription_filter_policy") == {
        "requests_email_ops_example_com": {
            "subscription_urn": "${huaweicloud_smn_subscription.requests_email_ops_example_com.subscription_urn}",
            "filter_policies": [{"name": "severity", "string_equals": ["warning", "error"]}],
        }
    }


def test_a_parameter_that_nothing_refers_to_is_no_variable(make: Make) -> None:
    """Terraform would ask for it."""
    template = everything()
    template["Parameters"]["Idle"] = {"Type": "String"}
    assert "idle" not in [variable.name for variable in make(template).variables]


def test_logs(make: Make) -> None:
    """A log group has a stream for each function that logs to it."""
    made = make()
    assert bodies(made, "lts_group")["logs"]["ttl_in_days"] == 7
    assert {name: body["stream_name"] for name, body in bodies(made, "lts_stream").items()} == {"worker": "worker"}


def test_variables(make: Make) -> None:
    """The account's variables come first. A parameter keeps type, default and description, and a secret is sensitive.

    Unlike other texts, descriptions are literal in Terraform.
    """
    declared: Any = make().documents["variables.tf.json"]["variable"]
    assert list(declared) == [
        *("region", "project_name", "enterprise_project_id"),
        *("id", "kafka_password", "prefix", "size", "vpc_id"),
    ]
    assert declared["project_name"]["default"] is None
    assert "default" not in declared["region"]
    assert declared["id"] == {"type": "string", "description": "Costs ${nothing}."}
    assert declared["kafka_password"] == {"type": "string", "sensitive": True}
    assert declared["prefix"] == {"type": "string", "default": "app"}
    assert declared["size"] == {"type": "number", "default": 3}


def test_outputs(make: Make) -> None:
    """The outputs are the URNs of functions and topics."""
    output: Any = make().documents["outputs.tf.json"]["output"]
    assert output["function_urns"]["value"]["helper"] == "${huaweicloud_fgs_function.helper.urn}"
    assert output["topic_urns"]["value"] == {"requests": "${huaweicloud_smn_topic.requests.topic_urn}"}


def test_the_state_is_next_to_the_template(tmp_path: Path) -> None:
    """The output folder can be deleted without losing the state."""
    made = made_of(write(tmp_path, everything()), out=tmp_path / "deep" / "build")
    settings: Any = made.documents["terraform.tf.json"]["terraform"]
    assert settings["backend"] == {"local": {"path": "../../terraform.tfstate"}}
    assert settings["required_providers"]["huaweicloud"]["source"] == "huaweicloud/huaweicloud"


@pytest.mark.parametrize("target", Target)
def test_a_change_that_the_provider_refuses_is_a_replacement(make: Make, target: Target) -> None:
    """With enable_force_new, renaming an agency shows a replacement in the plan instead of an error."""
    provider: Any = make(target=target).documents["terraform.tf.json"]["provider"]
    assert provider["huaweicloud"]["enable_force_new"] is True


def test_nothing_that_rfs_forbids(make: Make) -> None:
    """RFS allows no backend and no function that reads files. The code comes from OBS, and the provider from RFS."""
    made = make(target=Target.RFS)
    text = in_json(made)
    forbidden = ("backend", "filebase64", "file(", "fileexists", "filesha", "templatefile", "provisioner", "path.")
    assert not [word for word in forbidden if word in text]
    worker = bodies(made, "fgs_function")["worker"]
    assert (worker["code_type"], worker["code_url"]) == ("obs", '${trimsuffix(var.code_url, "/")}/worker.zip')
    assert not {"func_code", "code_filename"} & worker.keys()
    assert "code_url" in [variable.name for variable in made.variables if variable.is_required]
    assert "huawei.com/provider/huaweicloud" in text


def test_the_same_template_gives_the_same_bytes(make: Make) -> None:
    """Nothing depends on a clock, a set or a machine."""
    assert in_json(make()) == in_json(make())


@pytest.mark.parametrize(
    ("name", "taken"),
    [("Region", "region"), ("Version", "version"), ("prefix", "prefix")],
    ids=["of the account", "of Terraform", "of another parameter"],
)
def test_a_parameter_whose_name_is_taken(make: Make, name: str, taken: str) -> None:
    """A parameter cannot have the name of another variable, or a reserved name."""
    template = everything()
    template["Parameters"][name] = {"Type": "String"}
    template["Globals"] = {"Function": {"Environment": {"Variables": {"USED": f"${{{name}}}"}}}}
    with pytest.raises(WrongCall, match=f"{name} would be the variable '{taken}', which is taken"):
        make(template)


def test_a_name_that_is_taken_only_for_rfs(make: Make) -> None:
    """For RFS, the folder of the code is a variable."""
    template = everything()
    template["Parameters"]["CodeUrl"] = {"Type": "String"}
    template["Globals"] = {"Function": {"Environment": {"Variables": {"USED": "${CodeUrl}"}}}}
    assert "code_url" in [variable.name for variable in make(template).variables]
    with pytest.raises(WrongCall, match="CodeUrl would be the variable 'code_url'"):
        make(template, Target.RFS)


def test_two_resources_with_one_name(make: Make) -> None:
    """Names that differ only in case would be the same in Terraform."""
    template = everything()
    template["Resources"]["helper"] = function(FunctionName="other")
    with pytest.raises(WrongCall, match=r"2 resources would have the name huaweicloud_fgs_function\.helper"):
        make(template)


def test_a_template_of_one_function(make: Make) -> None:
    """The configuration has nothing that the template does not ask for."""
    made = make({"Resources": {"Only": function()}})
    assert [resource.address for resource in made.resources] == ["huaweicloud_fgs_function.only"]
    assert "locals" not in made.documents["main.tf.json"]


@pytest.mark.parametrize("target", Target)
def test_the_application(tmp_path: Path, target: Target) -> None:
    """The application's own template gives a valid, complete configuration."""
    file = CHECKOUT / "template.yaml"
    made = made_of(file, target, tmp_path)
    assert problems(made.documents.values(), read_provider()) == []
    template = load_template(file)
    assert len(bodies(made, "fgs_function")) == len(template.functions)
    assert len(bodies(made, "fgs_function_trigger")) == sum(len(function.events) for function in template.functions)
    assert len(bodies(made, "identity_agency")) == len({function.agency for function in template.functions})
    assert [variable.name for variable in made.variables if variable.is_required] == [
        "region",
        *(["code_url"] if target is Target.RFS else []),
        *(snake_case(name) for name, parameter in template.parameters.items() if parameter.default is None),
    ]


def test_a_secret_is_a_reference(make: Make) -> None:
    """A secret refers to a sensitive variable without a default."""
    made = make()
    assert values(made)["event_data"]["worker_kafka"]["kafka_password"] == "${var.kafka_password}"
    assert [variable.name for variable in made.variables if variable.is_secret and variable.is_required] == [
        "kafka_password"
    ]


def test_calls_that_make_instances_are_granted_in_one_enterprise_project(make: Make) -> None:
    """A second policy is granted where the variable says, which the provider takes by name, and nowhere without it."""
    template = everything()
    template["Parameters"]["DrillPlace"] = {"Type": "String", "Default": ""}
    worker = template["Resources"]["Worker"]["Properties"]
    worker["Permissions"] += ["DDS.DeleteInstance"]
    worker["Environment"]["Variables"]["DRILL_ENTERPRISE_PROJECT_ID"] = "${DrillPlace}"

    made = make(template)

    main = made.documents["main.tf.json"]
    assert main["data"] == {
        "huaweicloud_enterprise_project": {
            "prefix_worker": {"for_each": '${toset(compact(["${var.drill_place}"]))}', "id": "${each.value}"}
        }
    }
    assert bodies(made, "identity_agency")["prefix_worker"]["dynamic"] == {
        "enterprise_project_roles": {
            "for_each": "${data.huaweicloud_enterprise_project.prefix_worker}",
            "content": {
                "enterprise_project": "${enterprise_project_roles.value.name}",
                "roles": ["${huaweicloud_identity_role.prefix_worker_instances.name}"],
            },
        }
    }
    statement = {"Effect": "Allow", "Action": ["dds:instance:deleteInstance"]}
    assert values(made)["policies"]["prefix_worker_instances"]["Statement"] == [statement]
    assert problems(made.documents.values(), read_provider()) == []
