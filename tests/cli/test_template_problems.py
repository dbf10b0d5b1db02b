"""The messages about an invalid template."""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cli.errors import WrongCall
from cli.paths import APPLICATION
from cli.template.checks import _EXPECTED
from cli.template.model import Template


Load = Callable[[str], Template]

FUNCTION = """\
Resources:
  Hello:
    Type: HC::Serverless::Function
    Properties:
      CodeUri: code
      Handler: index.handler
      Runtime: Python3.12
"""
"""Resources is on line 1, Properties on line 4. Line 8 is the first line after the template."""


def problems(load: Load, text: str) -> list[str]:
    """Return the lines of the error message, without the folder of the template."""
    with pytest.raises(WrongCall) as error:
        load(text)
    lines = [line for line in error.value.message.splitlines() if "template.yaml" in line]
    return [line[line.index("template.yaml") :] for line in lines]


@pytest.mark.parametrize(
    ("more", "line", "expected"),
    [
        ("      Timout: 5", 8, "Timout: unknown key, did you mean 'Timeout'? Known: Agency, "),
        ("      Timeout: 2", 8, "Timeout: found 2, expected a number from 3 to 259200"),
        ("      Timeout: 259201", 8, "Timeout: found 259201, expected a number from 3 to 259200"),
        ("      Timeout: '5'", 8, 'Timeout: found "5", expected a whole number'),
        ("      MemorySize: 127", 8, "MemorySize: found 127, expected one of: 128, 256, 512,"),
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
        ("      FunctionName: a-${", 8, 'FunctionName: found "a-${", expected at most 60 letters'),
        ("      Permissions: [DDS.ListBackups]", 8, "Permissions: found no Agency, expected the agency that gets them"),
        (
            "      Agency: a\n      Permissions:\n        - DDS.ListTask",
            10,
            "Permissions.0: found 'DDS.ListTask', which is not an operation, did you mean 'DDS.ListTasks'? Known: DDS.",
        ),
        ("      Agency: ${Agncy}", 8, "Agency: ${Agncy} is not a parameter, topic or log group. Known: none"),
        (
            "      Agency: a\n      Permissions: [DDS.ListTasks, DDS.ListTasks]",
            9,
            'Permissions: found ["DDS.ListTasks", "DDS.ListTasks"], expected each value once',
        ),
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
        ("      VpcConfig: {VpcId: v}", 8, "VpcConfig: SubnetId is missing"),
        (
            "      Agency: a\n      VpcConfig: {VpcId: v, SubnetId: s, SubnetIds: [s]}",
            9,
            "VpcConfig.SubnetIds: unknown key, did you mean 'SubnetId'? Known: SubnetId, VpcId",
        ),
        (
            "      VpcConfig: {VpcId: v, SubnetId: s}",
            8,
            "VpcConfig: found no Agency, expected one: FunctionGraph uses it to access the VPC",
        ),
        (
            "    Events: {Q: {Type: KAFKA, Properties: {instance_id: i, topic_ids: [t], batch_size: 1}}}",
            8,
            "Events.Q.Type: found KAFKA and no VpcConfig, expected the VPC and subnet of the queue",
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
    """The message has the line and the key of the value, what was found and what was expected."""
    (problem,) = problems(load, f"{FUNCTION}{more}\n")
    assert problem.startswith(f"template.yaml:{line}: Resources.Hello.")
    assert expected in problem


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("index.handler", "index.handle", "template.yaml:6: Resources.Hello.Properties.Handler: there is no 'handle'"),
        ("index.handler", "main.handler", "template.yaml:6: Resources.Hello.Properties.Handler: there is no file "),
        (
            "index.handler",
            "handler",
            'template.yaml:6: Resources.Hello.Properties.Handler: found "handler", expected file',
        ),
        ("CodeUri: code", "CodeUri: cod", "template.yaml:5: Resources.Hello.Properties.CodeUri: there is no folder "),
        ("Python3.12", "Python3.11", "expected one of: Python3.10, Python3.12"),
        ("HC::Serverless::Function", "AWS::Serverless::Function", "expected one of: HC::Serverless::Function, "),
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
    """The rest of the template is checked in the same way."""
    assert any(expected in problem for problem in problems(load, FUNCTION.replace(old, new)))


def test_all_problems_at_once(load: Load) -> None:
    """The message lists every problem, sorted by line."""
    text = FUNCTION.replace("Python3.12", "Python2.7") + "      Timeout: 1\n      Memory: 5\nOutputs: {}\n"
    lines = [problem.split(":")[1] for problem in problems(load, text)]
    assert lines == ["7", "8", "9", "10"]


def test_empty_template(load: Load) -> None:
    """An empty file is an error."""
    assert problems(load, "# nothing\n") == ["template.yaml:1: found an empty file, expected a template with Resources"]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefghi")
)
DEEP = f"a: &a {'[' * 20}{']' * 20}\nb: &b {'[' * 20}*a{']' * 20}\nc: {'[' * 20}*b{']' * 20}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &a [*a]\n", "1: an alias refers to its own ancestor"),
        (BOMB, "4: more than 5000 keys and values"),
        (DEEP, "3: nested more than 50 deep"),
        (f"a: {'[' * 900}{']' * 900}\n", "1: nested more than 50 deep"),
        (f"a: [{'x, ' * 5_001}]\n", "1: more than 5000 keys and values"),
        (f"\na: {'1' * 5000}\n", "2: found 5000 characters, expected a shorter int"),
        (f"\na: 0x{'f' * 5000}\n", "2: found 5002 characters, expected a shorter int"),
        ("\na: 2026-02-30\n", "2: found '2026-02-30', which is not a valid timestamp"),
        ("\na: !!int x\n", "2: found 'x', which is not a valid int"),
        ("\na: !!int ''\n", "2: found '', which is not a valid int"),
        ("\na: !!float x\n", "2: found 'x', which is not a valid float"),
        ("\na: !!bool x\n", "2: found 'x', which is not a valid bool"),
        ("\na: !!timestamp x\n", "2: found 'x', which is not a valid timestamp"),
        ("\na: !!map x\n", "2: not valid YAML: expected a mapping node, but found scalar"),
        ("\n1: x\n", "2: found a key of the type int, expected text"),
        ("\n? [a]\n: x\n", "2: found a key of the type seq, expected text"),
    ],
)
def test_yaml_that_a_template_must_not_have(load: Load, text: str, expected: str) -> None:
    """Too many aliases, deep nesting and impossible values are errors with file and line."""
    assert problems(load, text) == [f"template.yaml:{expected}"]


def test_a_template_has_a_size(load: Load) -> None:
    """A template of a megabyte is none."""
    assert problems(load, "#" * 1_000_000) == ["template.yaml:1: found 1000000 characters, expected at most 262144"]


def test_a_default_has_a_length(load: Load) -> None:
    """A default is filled in at each reference, so a long one multiplies the template."""
    (problem,) = problems(load, f"{FUNCTION}Parameters: {{A: {{Type: String, Default: {'x' * 4097}}}}}\n")
    assert problem.startswith("template.yaml:8: Parameters.A.Default: found ")
    assert problem.endswith("expected at most 4096 characters")


def test_each_keyword_of_the_schema_has_a_message() -> None:
    """Every keyword that constrains a value is described."""
    schema = json.loads((APPLICATION / "template.schema.json").read_text(encoding="utf-8"))
    by_hand = {"additionalProperties", "required", "propertyNames", "const"}  # "const" is in conditions only
    used = set(_keywords(schema)) & Draft202012Validator.VALIDATORS.keys()
    structure = {"$ref", "properties", "patternProperties", "items", "if", "then", "else", "allOf"}

    assert used - by_hand - structure <= _EXPECTED.keys()


def _keywords(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from _keywords(value)
    elif isinstance(node, list):
        for item in node:
            yield from _keywords(item)


def test_name_of_two_functions(load: Load) -> None:
    """Function names must be unique."""
    again = FUNCTION.partition("\n")[2].replace("Hello", "Other") + "      FunctionName: Hello\n"
    assert problems(load, FUNCTION + again) == [
        "template.yaml:14: Resources.Other.Properties.FunctionName: 'Hello' is the name of Hello, expected another name"
    ]


def test_name_of_two_topics_or_timers(load: Load) -> None:
    """The name of a topic is unique, and that of a timer within its function."""
    topics = "".join(f"  {key}:\n    Type: HC::SMN::Topic\n    Properties: {{Name: t}}\n" for key in ("T", "U"))
    timers = "    Events:\n" + "".join(
        f"      {key}: {{Type: TIMER, Properties: {{{more}schedule_type: Rate, schedule: 5m}}}}\n"
        for key, more in (("A", ""), ("B", "name: A, "), ("C", ""))
    )
    assert problems(load, FUNCTION + timers + topics) == [
        "template.yaml:10: Resources.Hello.Events.B.Properties.name: 'A' is the name of A, expected another name",
        "template.yaml:17: Resources.U.Properties.Name: 't' is the name of T, expected another name",
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            "  T:\n    Type: HC::SMN::Topic\n    Properties: {Name: a b}",
            'T.Properties.Name: found "a b", expected 1 to',
        ),
        ("  T:\n    Type: HC::SMN::Topic\n    Properties: {}", "T.Properties: Name is missing"),
        (
            (
                "  T:\n    Type: HC::SMN::Topic\n"
                "    Properties: {Name: t, Subscriptions: [{Protocol: fax, Endpoint: '1'}]}"
            ),
            'Subscriptions.0.Protocol: found "fax", expected one of: email, sms, http, https',
        ),
        (
            "  L:\n    Type: HC::LTS::Group\n    Properties: {GroupName: g, TtlInDays: 0}",
            "expected a number from 1 to 365",
        ),
        ("      LogGroup: g", 'LogGroup: found "g", expected ${Name} of a resource of type HC::LTS::Group'),
        (
            "      LogGroup: ${T}\n  T:\n    Type: HC::SMN::Topic\n    Properties: {Name: t}",
            "found ${T}, expected a log group at LogGroup and nowhere else. Known: none",
        ),
        (
            "      Agency: ${L}\n  L:\n    Type: HC::LTS::Group\n    Properties: {GroupName: g}",
            "LogGroup and nowhere else",
        ),
        ("      Permissions: [dds:backup:list]", "expected an operation such as DDS.ListBackups"),
        ("Parameters: {Hello: {Type: String}}", "Parameters.Hello: found a resource of the same name"),
        ("Parameters: {A: {Type: String, NoEcho: true, Default: x}}", "A.Default: found a secret, expected none"),
        (
            "    Events: {K: {Type: KAFKA, Properties: {instance_id: i, topic_ids: [t], kafka_password: hunter2}}}",
            'kafka_password: found "hunter2", expected ${Name} of a parameter with NoEcho',
        ),
        (
            (
                "    Events: {K: {Type: KAFKA, Properties:"
                " {instance_id: i, topic_ids: [t], batch_size: 1, kafka_password: '${P}'}}}\n"
                "Parameters: {P: {Type: String}}"
            ),
            "kafka_password: found ${P}, expected a parameter with NoEcho",
        ),
        ("      Agency: ${P}\nParameters: {P: {Type: String, NoEcho: true}}", "NoEcho at kafka_password and access_"),
        (
            "    Events: {T: {Type: SMN, Status: DISABLED, Properties: {topic_urn: 'urn:smn:a:b:c'}}}",
            'T.Status: found "DISABLED", expected ACTIVE',
        ),
        ("    Events: {T: {Type: APIG, Properties: {path: /backups}}}", "T.Properties: func_info is missing"),
        (
            "      AsyncInvoke: {OnFailure: {Destination: SMN, Param: {topic_url: 'urn:smn:a:b:c'}}}",
            "OnFailure.Param.topic_url: unknown key, did you mean 'topic_urn'?",
        ),
        (
            "      AsyncInvoke: {OnSuccess: {Destination: OBS, Param: {bucket: b, expires: 366}}}",
            "OnSuccess.Param.expires: found 366, expected a number from 0 to 365",
        ),
    ],
)
def test_wrong_resource_beside_a_function(load: Load, more: str, expected: str) -> None:
    """Topics, log groups, permissions and secrets are checked, too."""
    assert any(expected in problem for problem in problems(load, FUNCTION + more))


def test_a_value_is_checked_after_parameters_are_filled_in(load: Load) -> None:
    """The message has the line of the reference, whose parameter has an invalid default."""
    more = "      FunctionName: hello-${Stage}\nParameters: {Stage: {Type: String, Default: ../up}}"

    (problem,) = problems(load, FUNCTION + more)

    assert problem.startswith('template.yaml:8: Resources.Hello.Properties.FunctionName: found "hello-../up", expected')


@pytest.mark.parametrize(
    ("folder", "expected"), [('"co\\0de"', "expected a folder"), ("x" * 300, "there is no folder ")]
)
def test_impossible_folder_name(load: Load, folder: str, expected: str) -> None:
    """An impossible folder name is an error without a traceback."""
    (problem,) = problems(load, FUNCTION.replace("CodeUri: code", f"CodeUri: {folder}"))

    assert "CodeUri: " in problem
    assert expected in problem
