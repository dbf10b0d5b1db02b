"""template.yaml: what it says, and what is said about a wrong one."""

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cli.errors import WrongCall
from cli.paths import CHECKOUT
from cli.template.load import find_function, find_template, load_template
from cli.template.model import AsyncInvoke, Destination, Template


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


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a template of the given text, beside a folder ``code`` with an index.py."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "index.py").write_text("def handler(event, context): ...\n\ndef initializer(context): ...\n")
    file = tmp_path / "template.yaml"

    def load_text(text: str) -> Template:
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return load_template(file)

    return load_text


def problems(load: Load, text: str) -> list[str]:
    """Return the lines of the message about a wrong template, without the folder in front of its name."""
    with pytest.raises(WrongCall) as error:
        load(text)
    lines = [line for line in error.value.message.splitlines() if "template.yaml" in line]
    return [line[line.index("template.yaml") :] for line in lines]


def test_template_of_the_application() -> None:
    """The application's own template is right and has the function create_backup."""
    template = load_template(CHECKOUT / "template.yaml")
    function = find_function(template, "create_backup")
    assert function is find_function(template, "CreateBackup")
    assert function.code_uri == CHECKOUT / "functions" / "create_backup"
    assert function.code_root == CHECKOUT
    assert (function.handler, function.initializer) == ("index.handler", "index.initializer")
    assert function.variables == {"NOTIFY_TOPIC_URN": "${NotifyTopicUrn}"}
    assert [event.type for event in function.events] == ["TIMER"]


def test_template_of_the_application_names_its_schema() -> None:
    """Editors find the schema by the first line."""
    first = (CHECKOUT / "template.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=template.schema.json"


def test_schema_is_one_and_describes_every_key() -> None:
    """The schema keeps to JSON Schema 2020-12, and an editor has something to show for every key."""
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


def test_defaults(load: Load) -> None:
    """What a function does not say is as on the platform: 128 MB, 3 s, no initializer; its name is its resource's."""
    function = load(MINIMAL).functions[0]
    assert (function.name, function.memory_size, function.timeout) == ("Hello", 128, 3)
    assert (function.initializer, function.agency, function.async_invoke) == (None, None, None)
    assert (function.variables, function.events) == ({}, ())


def test_globals_are_defaults_and_variables_are_merged(load: Load) -> None:
    """A function's own value wins over Globals; variables of both are there."""
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
    """A reference is replaced by the parameter's default, and stays where there is none."""
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


def test_triggers_and_destinations(load: Load) -> None:
    """Triggers have the API's field names; a Kafka trigger is off unless told otherwise."""
    function = load(
        MINIMAL
        + """\
      AsyncInvoke:
        MaxRetryAttempts: 2
        OnFailure: {Destination: SMN, Param: {topic_urn: "urn:smn:a:b:c"}}
    Events:
      Requests: {Type: SMN, Properties: {topic_urn: "urn:smn:a:b:d"}}
      Stream: {Type: KAFKA, Properties: {instance_id: i, topic_ids: [t], batch_size: 10}}
      Api: {Type: DEDICATEDGATEWAY, Status: ACTIVE, Properties: {path: /backups, auth: IAM}}
"""
    ).functions[0]
    assert [(event.name, event.type, event.status) for event in function.events] == [
        ("Requests", "SMN", "ACTIVE"),
        ("Stream", "KAFKA", "DISABLED"),
        ("Api", "DEDICATEDGATEWAY", "ACTIVE"),
    ]
    failed = Destination("SMN", {"topic_urn": "urn:smn:a:b:c"})
    assert function.async_invoke == AsyncInvoke(2, None, None, failed)


FUNCTION = MINIMAL.lstrip("\n")
"""Line 1 is Resources, line 4 Properties, line 8 the first one after it."""


@pytest.mark.parametrize(
    ("more", "line", "expected"),
    [
        ("      Timout: 5", 8, "Timout: unknown key, did you mean 'Timeout'? Known: Agency, "),
        ("      Timeout: 2", 8, "Timeout: found 2, expected a number from 3 to 259200"),
        ("      Timeout: 259201", 8, "Timeout: found 259201, expected a number from 3 to 259200"),
        ("      Timeout: '5'", 8, 'Timeout: found "5", expected a whole number'),
        ("      MemorySize: 127", 8, "MemorySize: found 127, expected a number from 128 to 10240"),
        ("      InitializerTimeout: 301", 8, "InitializerTimeout: found 301, expected a number from 1 to 300"),
        ("      FunctionName: 1st", 8, 'FunctionName: found "1st", expected at most 60 letters, digits, hyphens'),
        ("      AsyncInvoke: {MaxRetryAttempts: 4}", 8, "MaxRetryAttempts: found 4, expected a number from 0 to 3"),
        ("      AsyncInvoke: {MaxEventAge: 0}", 8, "MaxEventAge: found 0, expected a number from 1 to 86400"),
        ("      Environment: {Variables: {A-B: 1}}", 8, "A-B: not allowed as a name, expected letters, digits and"),
        ("      Environment: {Variables: {A: [1]}}", 8, "A: found [1], expected text or a whole number"),
        ("      Environment: {Variables: {A: yes}}", 8, "A: found true, expected text or a whole number"),
        (
            "      Initializer: other.init",
            8,
            "Initializer: found 'other.init', expected a function in the handler's file",
        ),
        ("      Initializer: index.initialiser", 8, "did you mean 'initializer'?"),
        ("      Agency: ${Agncy}", 8, "Agency: ${Agncy} is no parameter. Known: none"),
        ("      Timeout: 5\n      Timeout: 6", 8, "Timeout: given again on line 9, expected once"),
        ("    Events: {A: {Type: TIMR, Properties: {}}}", 8, 'Type: found "TIMR", expected one of: TIMER, SMN, KAFKA'),
        ("    Events: {A: {Type: TIMER, Properties: {schedule: 3m}}}", 8, "A.Properties: schedule_type is missing"),
        ("    Events: {A: {Type: TIMER}}", 8, "A: Properties is missing"),
        (
            "    Events: {A: {Type: TIMER, Properties: {schedule_type: Rate, schedule: 61m}}}",
            8,
            'schedule: found "61m", expected an interval of at most 60m, 24h or 30d',
        ),
        (
            "    Events: {A: {Type: TIMER, Properties: {schedule_type: Cron, schedule: '0 2 * * ?'}}}",
            8,
            'schedule: found "0 2 * * ?", expected a cron expression of six fields',
        ),
        (
            "    Events: {A: {Type: SMN, Properties: {topic_urn: x, topic: x}}}",
            8,
            "topic: unknown key, did you mean 'topic_urn'? Known: topic_urn",
        ),
        (
            "    Events: {A: {Type: KAFKA, Properties: {instance_id: i, topic_ids: [t], batch_size: 1001}}}",
            8,
            "batch_size: found 1001, expected a number from 1 to 1000",
        ),
        (
            f"    Events: {{{', '.join(f'E{n}: {{Type: SMN, Properties: {{topic_urn: t}}}}' for n in range(11))}}}",
            8,
            "at most 10",
        ),
        (f"      Environment: {{Variables: {{{', '.join(f'V{n}: x' for n in range(21))}}}}}", 8, "at most 20"),
        (f"      Environment: {{Variables: {{A: {'x' * 4096}}}}}", 8, "found 4097 characters in all names and values"),
    ],
)
def test_wrong_property(load: Load, more: str, line: int, expected: str) -> None:
    """A wrong value is named with its line and key, what was found and what is expected."""
    (problem,) = problems(load, f"{FUNCTION}{more}\n")
    assert problem.startswith(f"template.yaml:{line}: Resources.Hello.")
    assert expected in problem


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("index.handler", "index.handle", "template.yaml:6: Resources.Hello.Properties.Handler: found no 'handle' in "),
        ("index.handler", "main.handler", "template.yaml:6: Resources.Hello.Properties.Handler: found no file "),
        (
            "index.handler",
            "handler",
            'template.yaml:6: Resources.Hello.Properties.Handler: found "handler", expected file',
        ),
        ("CodeUri: code", "CodeUri: cod", "template.yaml:5: Resources.Hello.Properties.CodeUri: found no folder "),
        ("Python3.12", "Python3.11", "expected one of: Python3.10, Python3.12"),
        ("HC::Serverless::Function", "AWS::Serverless::Function", "expected HC::Serverless::Function"),
        ("      Runtime: Python3.12\n", "", "template.yaml:4: Resources.Hello.Properties: Runtime is missing"),
        (
            "  Hello:",
            "  hello-world:",
            "template.yaml:2: Resources.hello-world: not allowed as a name, expected letters",
        ),
        ("Resources:", "Resource:", "template.yaml:1: Resources is missing"),
        ("Resources:", "- Resources:", "expected a mapping"),
        ("Type: HC", "Type: [HC", "while parsing a flow sequence that begins on line 3"),
    ],
)
def test_wrong_template(load: Load, old: str, new: str, expected: str) -> None:
    """So is a wrong line in the rest of the template."""
    assert any(expected in problem for problem in problems(load, FUNCTION.replace(old, new)))


def test_all_problems_at_once(load: Load) -> None:
    """Every problem is named, in the order of the lines."""
    text = FUNCTION.replace("Python3.12", "Python2.7") + "      Timeout: 1\n      Memory: 5\nOutputs: {}\n"
    lines = [problem.split(":")[1] for problem in problems(load, text)]
    assert lines == ["7", "8", "9", "10"]


def test_empty_template(load: Load) -> None:
    """An empty file is no template."""
    assert problems(load, "# nothing\n") == ["template.yaml is empty, expected a template with Resources"]


def test_alias_to_itself(load: Load) -> None:
    """A YAML alias that contains itself is an error, not an endless loop."""
    assert "an alias refers to what it is part of" in problems(load, "a: &a [*a]\n")[0]


def test_name_of_two_functions(load: Load) -> None:
    """Two functions cannot have one name."""
    again = FUNCTION.partition("\n")[2].replace("Hello", "Other") + "      FunctionName: Hello\n"
    assert problems(load, FUNCTION + again) == [
        "template.yaml:14: Resources.Other.Properties.FunctionName: 'Hello' is the name of Hello already"
    ]


def test_entry_points_that_are_imported(load: Load, tmp_path: Path) -> None:
    """A handler may come from another module."""
    (tmp_path / "code" / "index.py").write_text("from shared.work import work as handler\n")
    assert load(FUNCTION).functions[0].handler == "index.handler"


def test_entry_file_with_a_syntax_error(load: Load, tmp_path: Path) -> None:
    """A function's own fault is no fault of the template: the invocation shows it."""
    (tmp_path / "code" / "index.py").write_text("def handler(\n")
    assert load(FUNCTION).functions[0].handler == "index.handler"


def test_unknown_function(load: Load) -> None:
    """A name that no function has is answered with the known ones."""
    template = load(MINIMAL)
    with pytest.raises(WrongCall, match=r"no function 'helo', did you mean 'Hello'\? Known: Hello"):
        find_function(template, "helo")


def test_template_is_looked_for_here_and_then_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current directory comes first."""
    monkeypatch.chdir(tmp_path)
    assert find_template() == CHECKOUT / "template.yaml"
    (tmp_path / "template.yaml").touch()
    assert find_template() == tmp_path / "template.yaml"


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """A template that cannot be read is one clear error."""
    with pytest.raises(WrongCall, match=r"cannot read the template .*/nowhere.yaml: No such file"):
        load_template(tmp_path / "nowhere.yaml")
