"""Loading template.yaml."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from cli.errors import WrongCall
from cli.paths import CHECKOUT
from cli.template.load import find_function, find_template, load_template
from cli.template.model import AsyncInvoke, Destination, Parameter, Template, VpcConfig


Load = Callable[[str], Template]

MINIMAL = """
Resources:
  Hello:
    Type: HC::Serverless::Function
    Properties:
      CodeUri: code
      Handler: index.handler
      Runtime: Python3.12
"""


def test_template_of_the_application() -> None:
    """The application's own template is valid and has the function create_backup."""
    template = load_template(CHECKOUT / "template.yaml")
    function = find_function(template, "create_backup")
    assert function is find_function(template, "CreateBackup")
    assert function.code_uri == CHECKOUT / "functions" / "create_backup"
    assert function.code_root == CHECKOUT
    assert (function.handler, function.initializer) == ("index.handler", "index.initializer")
    assert function.variables == {"NOTIFY_TOPIC_URN": "${NotifyTopic}", "STACK": "dds-backup"}
    assert {other.variables["STACK"] for other in template.functions} == {"dds-backup"}
    assert [event.type for event in function.events] == ["TIMER"]
    assert "DDS.CreateManualBackup" in function.permissions
    assert [(topic.resource, topic.name) for topic in template.topics] == [
        ("NotifyTopic", "dds-backup"),
        ("FailureTopic", "dds-backup-failures"),
    ]
    assert [(one.protocol, one.filter_policy) for topic in template.topics for one in topic.subscriptions] == [
        ("email", {"severity": ("notice", "warning", "error")}),
        ("email", {}),
    ]
    assert [(group.resource, group.ttl_in_days) for group in template.log_groups] == [(function.log_group, 30)]


def test_template_of_the_application_names_its_schema() -> None:
    """Editors find the schema through the first line of the template."""
    first = (CHECKOUT / "template.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=template.schema.json"


def test_schema_is_valid_and_describes_every_key() -> None:
    """The schema is valid JSON Schema 2020-12, and has a description of every key for editors to show."""
    schema = json.loads((CHECKOUT / "template.schema.json").read_text())
    Draft202012Validator.check_schema(schema)

    def undescribed(node: Any, path: str) -> list[str]:
        missing = []
        if isinstance(node, dict):
            for name, value in node.items():
                missing += undescribed(value, f"{path}/{name}")
                if path.endswith("/properties") and "/if/" not in path and "/then/" not in path:
                    target = schema["$defs"][value["$ref"].rsplit("/", 1)[1]] if "$ref" in value else {}
                    if "description" not in {**target, **value}:
                        missing.append(f"{path}/{name}")
        return missing

    assert undescribed(schema, "") == []


def test_locals_are_written_once(load: Load) -> None:
    """A text of Locals replaces its references everywhere. Its own references to parameters are filled in."""
    template = load(
        """
        Parameters:
          InstanceId: {Type: String}
          Tag: {Type: String, Default: backup}
          Idle: {Type: String}
          OnlyInAnUnusedText: {Type: String}
        Locals:
          Instances: '"instance_ids": ["${InstanceId}"], "tag": "${Tag}"'
          Nobody: ${OnlyInAnUnusedText}
        Globals:
          Function:
            Runtime: Python3.12
            Environment: {Variables: {A: "{${Instances}}", B: "[{${Instances}}]"}}
        Resources:
          Hello:
            Type: HC::Serverless::Function
            Properties: {CodeUri: code, Handler: index.handler}
        """
    )

    text = '"instance_ids": ["${InstanceId}"], "tag": "backup"'
    assert template.functions[0].variables == {"A": f"{{{text}}}", "B": f"[{{{text}}}]"}
    used = {name: parameter.is_used for name, parameter in template.parameters.items()}
    assert used == {"InstanceId": True, "Tag": True, "Idle": False, "OnlyInAnUnusedText": False}


def test_defaults(load: Load) -> None:
    """A function has FunctionGraph's defaults: 128 MB, 3 s, no initializer. Its name defaults to its resource's."""
    function = load(MINIMAL).functions[0]
    assert (function.name, function.memory_size, function.timeout) == ("Hello", 128, 3)
    assert (function.initializer, function.agency, function.async_invoke, function.vpc_config) == (None,) * 4
    assert (function.variables, function.events) == ({}, ())


def test_globals_are_defaults_and_variables_are_merged(load: Load) -> None:
    """A function's own values override those of Globals, and variables are merged."""
    function = load(
        """
        Globals:
          Function:
            Runtime: Python3.10
            Timeout: 60
            MemorySize: 512
            Environment: {Variables: {A: common, B: common}}
        Resources:
          Hello:
            Type: HC::Serverless::Function
            Properties:
              CodeUri: code
              Handler: index.handler
              Timeout: 30
              Environment: {Variables: {B: own, C: 3}}
        """
    ).functions[0]
    assert (function.runtime, function.timeout, function.memory_size) == ("Python3.10", 30, 512)
    assert function.variables == {"A": "common", "B": "own", "C": "3"}


def test_references(load: Load) -> None:
    """A reference is replaced by the parameter's default, or stays if there is none."""
    function = load(
        """
        Parameters:
          Stage: {Type: String, Default: test}
          Size: {Type: Number, Default: 4}
          Topic: {Type: String}
        Resources:
          Hello:
            Type: HC::Serverless::Function
            Properties:
              FunctionName: hello_${Stage}
              CodeUri: code
              Handler: index.handler
              Runtime: Python3.12
              Environment: {Variables: {A: "${Stage}-${Size}", B: "urn:${Topic}"}}
            Events:
              Nightly:
                Type: TIMER
                Properties: {schedule_type: Rate, schedule: 3m, user_event: '["${Stage}", "${Topic}"]'}
        """
    ).functions[0]
    assert function.name == "hello_test"
    assert function.variables == {"A": "test-4", "B": "urn:${Topic}"}
    assert function.events[0].properties["user_event"] == '["test", "${Topic}"]'


def test_references_that_stay(tmp_path: Path) -> None:
    """With fill_in_defaults=False, all references stay, and each parameter has its type."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "index.py").write_text("def handler(event, context): ...\n")
    file = tmp_path / "template.yaml"
    file.write_text(f"Parameters: {{Size: {{Type: Number, Default: 4}}}}{MINIMAL}      Agency: agency-${{Size}}\n")
    template = load_template(file, fill_in_defaults=False)
    assert template.functions[0].agency == "agency-${Size}"
    assert template.parameters["Size"] == Parameter("Size", "4", "", is_secret=False, type="Number")


def test_triggers_and_destinations(load: Load) -> None:
    """Triggers have the API's field names. A Kafka trigger is disabled by default."""
    function = load(
        MINIMAL
        + """\
      Agency: a
      VpcConfig: {VpcId: v, SubnetId: s}
      AsyncInvoke:
        MaxRetryAttempts: 2
        OnFailure: {Destination: SMN, Param: {topic_urn: "urn:smn:a:b:c"}}
    Events:
      Requests: {Type: SMN, Properties: {topic_urn: "urn:smn:a:b:d"}}
      Stream: {Type: KAFKA, Properties: {instance_id: i, topic_ids: [t], batch_size: 10}}
      Api:
        Type: DEDICATEDGATEWAY
        Status: ACTIVE
        Properties:
          {instance_id: g, group_id: g, env_id: e, env_name: RELEASE, type: 1, path: /backups, protocol: HTTPS,
           req_method: POST, match_mode: SWA, auth: IAM, func_info: {timeout: 5000}}
"""
    ).functions[0]
    assert [(event.name, event.type, event.status) for event in function.events] == [
        ("Requests", "SMN", "ACTIVE"),
        ("Stream", "KAFKA", "DISABLED"),
        ("Api", "DEDICATEDGATEWAY", "ACTIVE"),
    ]
    failed = Destination("SMN", {"topic_urn": "urn:smn:a:b:c"})
    assert function.async_invoke == AsyncInvoke(2, None, None, failed)


def test_a_function_in_a_vpc(load: Load) -> None:
    """Globals set the VPC of all functions, and a function can override it."""
    first, second = load(
        """
        Parameters: {VpcId: {Type: String}, SubnetId: {Type: String, Default: s-1}}
        Globals:
          Function:
            Runtime: Python3.12
            Agency: a
            VpcConfig: {VpcId: "${VpcId}", SubnetId: "${SubnetId}"}
        Resources:
          First:
            Type: HC::Serverless::Function
            Properties: {CodeUri: code, Handler: index.handler}
          Second:
            Type: HC::Serverless::Function
            Properties: {CodeUri: code, Handler: index.handler, VpcConfig: {VpcId: v-2, SubnetId: s-2}}
        """
    ).functions
    assert (first.vpc_config, second.vpc_config) == (VpcConfig("${VpcId}", "s-1"), VpcConfig("v-2", "s-2"))


def test_the_fleet_of_the_guide(tmp_path: Path) -> None:
    """One line changes what is backed up and what the audit watches, and nobody is asked for an instance."""
    guide = (CHECKOUT / "docs" / "deployment.md").read_text(encoding="utf-8").partition("## Fleet")[2]
    added = yaml.safe_load(guide.partition("```yaml\n")[2].partition("```")[0])
    (tmp_path / "functions").symlink_to(CHECKOUT / "functions")
    whole = merged(yaml.safe_load((CHECKOUT / "template.yaml").read_text(encoding="utf-8")), added)
    (tmp_path / "template.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")

    template = load_template(tmp_path / "template.yaml")

    create, audit = (find_function(template, name).events[0].properties for name in ("create_backup", "audit_backups"))
    selected = {"select": {"tags": {"backup": ["nightly"]}}}
    assert json.loads(str(create["user_event"])) == selected
    assert json.loads(str(audit["user_event"]))["policies"][0].items() >= selected.items()
    assert [name for name, one in template.parameters.items() if not one.is_used] == ["InstanceId"]


def test_the_example_of_the_guide(tmp_path: Path) -> None:
    """The deployment guide's addition for Kafka is valid in the application's template."""
    guide = (CHECKOUT / "docs" / "deployment.md").read_text(encoding="utf-8")
    about_kafka = guide.partition("## Requests by Kafka or RabbitMQ")[2]
    added = yaml.safe_load(about_kafka.partition("```yaml\n")[2].partition("```")[0])
    (tmp_path / "functions").symlink_to(CHECKOUT / "functions")
    whole = merged(yaml.safe_load((CHECKOUT / "template.yaml").read_text(encoding="utf-8")), added)
    (tmp_path / "template.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")

    function = find_function(
        load_template(tmp_path / "template.yaml", {"VpcId": "v", "SubnetId": "s"}), "create_backup"
    )

    assert function.vpc_config == VpcConfig("v", "s")
    assert [(event.type, event.status) for event in function.events] == [("TIMER", "ACTIVE"), ("KAFKA", "ACTIVE")]


def merged(old: Any, new: Any) -> Any:
    """Merge one document into another."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: merged(old.get(key), value) for key, value in new.items()}
    return new


def test_entry_points_that_are_imported(load: Load, tmp_path: Path) -> None:
    """An entry file may import its handler from another module."""
    (tmp_path / "code" / "index.py").write_text("from shared.work import work as handler\n")
    assert load(MINIMAL).functions[0].handler == "index.handler"


def test_entry_file_with_a_syntax_error(load: Load, tmp_path: Path) -> None:
    """A syntax error in the entry file is not a problem of the template: an invocation reports it."""
    (tmp_path / "code" / "index.py").write_text("def handler(\n")
    assert load(MINIMAL).functions[0].handler == "index.handler"


def test_unknown_function(load: Load) -> None:
    """The error for an unknown function name lists the known names."""
    template = load(MINIMAL)
    with pytest.raises(WrongCall, match=r"no function 'helo', did you mean 'Hello'\? Known: Hello"):
        find_function(template, "helo")


def test_template_is_looked_for_here_and_then_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template in the current directory takes precedence."""
    monkeypatch.chdir(tmp_path)
    assert find_template() == CHECKOUT / "template.yaml"
    (tmp_path / "template.yaml").touch()
    assert find_template() == tmp_path / "template.yaml"


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """A template that does not exist is an error with its path."""
    with pytest.raises(WrongCall, match=r"cannot read the template .*/nowhere.yaml: No such file"):
        load_template(tmp_path / "nowhere.yaml")
