"""Templates for the tests of ``ddsbackup terraform``, and access to their configurations."""

import json
from pathlib import Path
from typing import Any, Protocol

import yaml

from cli.template.load import load_template
from cli.terraform.configuration import Configuration, configuration
from cli.terraform.resources import Target


class Make(Protocol):
    """Makes the configuration of a template, by default of the one with everything."""

    def __call__(self, template: dict[str, Any] | None = None, target: Target = Target.TERRAFORM) -> Configuration: ...


GATEWAY = {
    "type": 1,
    "path": "/backups",
    "protocol": "HTTPS",
    "req_method": "POST",
    "group_id": "group",
    "match_mode": "SWA",
    "env_name": "RELEASE",
    "env_id": "environment",
    "auth": "IAM",
    "func_info": {"timeout": 5000},
}

EVENTS: dict[str, dict[str, Any]] = {
    "Timer": {
        "Type": "TIMER",
        "Properties": {"schedule_type": "Rate", "schedule": "5m", "user_event": '{"a": "${Id}"}'},
    },
    "Off": {"Type": "TIMER", "Status": "DISABLED", "Properties": {"schedule_type": "Cron", "schedule": "@every 1h"}},
    "Topic": {"Type": "SMN", "Properties": {"topic_urn": "${Requests}"}},
    "Kafka": {
        "Type": "KAFKA",
        "Status": "ACTIVE",
        "Properties": {
            "instance_id": "kafka",
            "topic_ids": ["requests"],
            "batch_size": 10,
            "kafka_user": "reader",
            "kafka_password": "${KafkaPassword}",
        },
    },
    "OpenKafka": {
        "Type": "OPENSOURCEKAFKA",
        "Properties": {"kafka_connect_address": "10.0.0.1:9092", "topic_ids": ["requests"], "kafka_ssl_enable": True},
    },
    "Rabbit": {
        "Type": "RABBITMQ",
        "Properties": {
            "instance_id": "rabbit",
            "exchange_name": "requests",
            "access_password": "${KafkaPassword}",
            "batch_size": 1,
        },
    },
    "Grid": {
        "Type": "EVENTGRID",
        "Properties": {
            "channel_id": "channel",
            "channel_name": "default",
            "source_name": "HC.OBS.DWR",
            "trigger_name": "objects",
            "agency": "fgs_to_eg",
            "bucket": "b",
            "event_types": ["OBS:DWR:ObjectCreated:PUT"],
            "Key_encode": True,
        },
    },
    "Gateway": {"Type": "DEDICATEDGATEWAY", "Properties": {"instance_id": "gateway", **GATEWAY}},
    "Shared": {"Type": "APIG", "Properties": GATEWAY},
}
"""One trigger of every type, and a disabled timer."""


def function(**properties: Any) -> dict[str, Any]:
    """A function of a template."""
    common = {"CodeUri": "code", "Handler": "index.handler", "Runtime": "Python3.12"}
    return {"Type": "HC::Serverless::Function", "Properties": common | properties}


def everything() -> dict[str, Any]:
    """A template with every kind of resource, trigger and destination."""
    worker = function(
        FunctionName="worker",
        Description="Works.",
        Initializer="index.initializer",
        Agency="${Prefix}-worker",
        Permissions=["DDS.ListBackups", "SMN.PublishMessage"],
        LogGroup="${Logs}",
        VpcConfig={"VpcId": "${VpcId}", "SubnetId": "${Prefix}-subnet"},
        Environment={"Variables": {"TOPIC": "${Requests}", "SIZE": "${Size}", "B": "x", "A": 1}},
        AsyncInvoke={
            "MaxRetryAttempts": 0,
            "OnSuccess": {"Destination": "OBS", "Param": {"bucket": "b", "prefix": "/ok", "expires": 5}},
            "OnFailure": {"Destination": "SMN", "Param": {"topic_urn": "${Requests}"}},
        },
    )
    return {
        "Parameters": {
            "Id": {"Type": "String", "Description": "Costs ${nothing}."},
            "KafkaPassword": {"Type": "String", "NoEcho": True},
            "Prefix": {"Type": "String", "Default": "app"},
            "Size": {"Type": "Number", "Default": 3},
            "VpcId": {"Type": "String"},
        },
        "Resources": {
            "Requests": {
                "Type": "HC::SMN::Topic",
                "Properties": {
                    "Name": "${Prefix}-requests",
                    "DisplayName": "Requests",
                    "Subscriptions": [
                        {"Protocol": "email", "Endpoint": "ops@example.com", "Remark": "Operations"},
                        {"Protocol": "https", "Endpoint": "https://example.com/${Prefix}"},
                    ],
                },
            },
            "Logs": {"Type": "HC::LTS::Group", "Properties": {"GroupName": "${Prefix}", "TtlInDays": 7}},
            "Worker": worker | {"Events": EVENTS},
            "Helper": function(Agency="made-elsewhere"),
        },
    }


def write(folder: Path, template: dict[str, Any]) -> Path:
    """Write a template and its code to a folder."""
    code = folder / "code"
    code.mkdir(exist_ok=True)
    (code / "index.py").write_text("def handler(event, context): ...\n\ndef initializer(context): ...\n")
    file = folder / "template.yaml"
    file.write_text(yaml.safe_dump(template, sort_keys=False), encoding="utf-8")
    return file


def made_of(file: Path, target: Target = Target.TERRAFORM, out: Path | None = None) -> Configuration:
    """The configuration that the command makes of a template."""
    packages = {function.resource: f"{function.name}.zip" for function in load_template(file).functions}
    return configuration(load_template(file, fill_in_defaults=False), packages, target, out or file.parent / "build")


def in_json(made: Configuration) -> str:
    """All documents of a configuration as one text."""
    return json.dumps([*made.documents.values()])


def bodies(made: Configuration, kind: str) -> dict[str, dict[str, Any]]:
    """The resources of a type, by name."""
    return {resource.name: resource.body for resource in made.resources if resource.type == f"huaweicloud_{kind}"}


def values(made: Configuration) -> dict[str, Any]:
    """The local values."""
    found: Any = made.documents["main.tf.json"]["locals"]
    return dict(found)
