"""Terraform itself evaluates the configuration, if it is installed.

The provider is not available in a test, so each resource becomes a ``terraform_data`` of Terraform's built-in provider.
Its ``output`` has the resource's attributes, with placeholders for computed ones. So Terraform evaluates all
expressions, and creates everything in the order of the references.
"""

import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.terraform.check import META_ARGUMENTS
from cli.terraform.configuration import Configuration
from cli.terraform.expressions import Scope, literal
from cli.terraform.provider import read_provider
from cli.terraform.resources import Target
from tests.terraform.templates import EVENTS, everything, function, made_of, write


TERRAFORM = shutil.which("terraform")

pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="Terraform is not installed")

SECRET = "correct horse battery staple"
VARIABLES = {
    "region": "cn-north-4",
    "id": "i-1",
    "kafka_password": SECRET,
    "vpc_id": "v",
    "code_url": "https://b.obs.example.com/1/",
}

ATTRIBUTE = re.compile(r"(huaweicloud_\w+)\.(\w+)\.(\w+)")
ADDRESS = re.compile(r"(huaweicloud_\w+)\.(\w+)")


def run(folder: Path, *arguments: str) -> str:
    """The output of Terraform, which reads its variables from the environment and makes no network calls."""
    environment = {f"TF_VAR_{name}": value for name, value in VARIABLES.items()}
    environment |= {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull, "PATH": os.environ["PATH"]}
    command = [str(TERRAFORM), f"-chdir={folder}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def with_built_in_provider(made: Configuration) -> dict[str, Any]:
    """The configuration with a ``terraform_data`` for each resource."""
    document: dict[str, Any] = json.loads(json.dumps(made.documents["main.tf.json"]))
    resources = {}
    for resource in made.resources:
        attributes = read_provider().resources[resource.type].attributes
        computed = {
            name: f"<{name}>" for name, attribute in attributes.items() if name == "id" or not attribute.required
        }
        settings = {name: value for name, value in resource.body.items() if name not in META_ARGUMENTS}
        body: dict[str, Any] = {"input": computed | settings}
        if "depends_on" in resource.body:
            body["depends_on"] = resource.body["depends_on"]
        resources[f"{resource.type}__{resource.name}"] = body
    document["resource"] = {"terraform_data": resources}
    document["output"] = made.documents["outputs.tf.json"]["output"]
    document["variable"] = made.documents["variables.tf.json"]["variable"]
    text = ATTRIBUTE.sub(r"terraform_data.\1__\2.output.\3", json.dumps(document))
    rewritten: dict[str, Any] = json.loads(re.sub(r'"(huaweicloud_\w+)\.(\w+)"', r'"terraform_data.\1__\2"', text))
    return rewritten


def applied(folder: Path, made: Configuration, packages: dict[str, bytes]) -> tuple[dict[str, Any], str]:
    """The attributes of each resource, by address, and what Terraform printed."""
    (folder / "main.tf.json").write_text(json.dumps(with_built_in_provider(made)), encoding="utf-8")
    for name, content in packages.items():
        (folder / name).write_bytes(content)
    run(folder, "init")
    printed = run(folder, "apply", "-auto-approve", "-json")
    state = json.loads(run(folder, "show", "-json"))
    found = {}
    for resource in state["values"]["root_module"]["resources"]:
        kind, _, name = resource["name"].partition("__")
        found[f"{kind}.{name}"] = resource["values"]["output"]
    return found, printed


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """The template with everything, applied."""
    folder = tmp_path_factory.mktemp("terraform")
    made = made_of(write(folder, everything()))
    build = folder / "build"
    build.mkdir()
    return applied(build, made, {"worker.zip": b"PK worker", "Helper.zip": b"PK helper"})


def test_event_data(result: tuple[dict[str, Any], str]) -> None:
    """The JSON text of each trigger has the template's fields with their types, and its references are replaced."""
    resources, _ = result
    values = {"${Id}": "i-1", "${KafkaPassword}": SECRET, "${Requests}": "<topic_urn>"}
    for name, event in EVENTS.items():
        key = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        trigger = resources[f"huaweicloud_fgs_function_trigger.worker_{key}"]
        expected = json.dumps(event["Properties"] | ({"name": name} if event["Type"] == "TIMER" else {}))
        for reference, value in values.items():
            expected = expected.replace(reference, value)
        assert json.loads(trigger["event_data"]) == json.loads(expected), name


def test_texts(result: tuple[dict[str, Any], str]) -> None:
    """Variables, policies and destinations are JSON, code is base64, and references have their values."""
    resources, _ = result
    worker = resources["huaweicloud_fgs_function.worker"]
    assert json.loads(worker["user_data"]) == {"A": "1", "B": "x", "SIZE": "3", "TOPIC": "<topic_urn>"}
    assert worker["func_code"] == "UEsgd29ya2Vy"
    assert worker["agency"] == "app-worker"
    assert worker["log_group_id"] == "<id>"
    assert worker["enterprise_project_id"] is None
    policy = json.loads(resources["huaweicloud_identity_role.prefix_worker"]["policy"])
    assert policy["Version"] == "1.1"
    agency = resources["huaweicloud_identity_agency.prefix_worker"]
    assert agency["project_role"] == [{"project": "cn-north-4", "roles": ["app-worker"]}]
    failure = resources["huaweicloud_fgs_async_invoke_configuration.worker"]["on_failure"]
    assert json.loads(failure[0]["param"]) == {"topic_urn": "<topic_urn>"}


def test_order(result: tuple[dict[str, Any], str]) -> None:
    """The order is policy, agency, function, its asynchronous invocations, its triggers, their status."""
    _, printed = result
    messages = [json.loads(line) for line in printed.splitlines()]
    made = [message["hook"]["resource"]["resource_name"] for message in messages if message["type"] == "apply_complete"]
    chain = (
        "huaweicloud_identity_role__prefix_worker",
        "huaweicloud_identity_agency__prefix_worker",
        "huaweicloud_fgs_function__worker",
        "huaweicloud_fgs_async_invoke_configuration__worker",
        "huaweicloud_fgs_function_trigger__worker_kafka",
        "huaweicloud_fgs_function_trigger_status_action__worker_kafka",
    )
    assert sorted(chain, key=made.index) == list(chain)
    topic = made.index("huaweicloud_smn_topic__requests")
    assert topic < made.index("huaweicloud_fgs_function__worker")
    stream = made.index("huaweicloud_lts_stream__worker")
    assert made.index("huaweicloud_lts_group__logs") < stream < made.index("huaweicloud_fgs_function__worker")


def test_a_secret_is_not_shown(result: tuple[dict[str, Any], str]) -> None:
    """Terraform redacts every value that contains the secret."""
    _, printed = result
    assert SECRET not in printed


def test_code_from_obs(tmp_path: Path) -> None:
    """For RFS, the URL of the folder in OBS may have a slash at its end."""
    made = made_of(write(tmp_path, {"Resources": {"Only": function()}}), Target.RFS)
    resources, _ = applied(tmp_path, made, {})
    assert resources["huaweicloud_fgs_function.only"]["code_url"] == "https://b.obs.example.com/1/Only.zip"


def test_any_text(tmp_path: Path) -> None:
    """Terraform reads each literal unchanged, and each reference in any text."""
    chance = random.Random(4)
    texts = ["".join(chance.choices('a$%{}"\\\n é', k=chance.randint(0, 8))) for _ in range(500)]
    around = [text.replace("${", "") for text in texts]
    scope = Scope({"Id": "var.id"})
    document = {
        "variable": {"id": {"type": "string"}},
        "output": {
            "literals": {"value": [literal(text) for text in texts]},
            "references": {"value": [scope.text(f"{text}${{Id}}{text}") for text in around]},
        },
    }
    (tmp_path / "main.tf.json").write_text(json.dumps(document), encoding="utf-8")
    run(tmp_path, "apply", "-auto-approve")
    output = json.loads(run(tmp_path, "output", "-json"))
    assert output["literals"]["value"] == texts
    assert output["references"]["value"] == [f"{text}i-1{text}" for text in around]
