"""``ddsbackup init``: six questions, and a template that validates."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.errors import WrongCall
from cli.init.answers import Answers, questions, read_instances
from cli.init.template import changed_template, default_retention
from cli.paths import CHECKOUT
from cli.preflight.report import check_template
from cli.template.document import fill_in
from cli.template.load import load_template


Run = Callable[..., Any]
SHIPPED = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
IDS = ["a89dab5e39394eccbdb77b19d57b0180in02", "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"]
SMALL = """\
Parameters:
  Mail: {Type: String}
  InstanceId:
    Type: String
Resources:
  Topic:
    Type: HC::SMN::Topic
    Properties: {Subscriptions: [{Protocol: email, Endpoint: "${Mail}"}]}
  Backup:
    Type: HC::Serverless::Function
    Properties: {CodeUri: functions/create_backup}
    Events:
      Daily: {Type: TIMER, Properties: {schedule: 1h, user_event: "{${Instances}}"}}
      Weekly: {Type: TIMER, Properties: {schedule: 1d, user_event: "{${Instances}}"}}
"""
OPTIONS = [
    *("--region", "eu-west-101", "--email", "dba@example.com", "--instances", " ".join(IDS), "--time", "23:30"),
    *("--retention", "last=2 daily=10", "--time-zone", "Europe/Berlin"),
]


def timers(file: Path) -> dict[str, Any]:
    """Properties of the timer of each function."""
    return {function.name: function.events[0].properties for function in load_template(file).functions}


def test_the_answers_are_in_the_template(ddsbackup: Run) -> None:
    """Backup and audit get the same instances. The other timers keep their distance, also across midnight."""
    ran = ddsbackup("init", "mine", *OPTIONS)
    file = Path("mine", "template.yaml")
    found, template = timers(file), load_template(file)
    prune = next(function for function in template.functions if function.name == "prune_backups")
    policy = json.loads(found["audit_backups"]["user_event"])["policies"][0]

    assert (ran.status, ran.err) == (0, "")
    assert json.loads(found["create_backup"]["user_event"]) == {"instance_ids": IDS}
    assert policy == {"name": "nightly", "instance_ids": IDS, "expected_interval": "1d", "grace": "2h"}
    assert [found[name]["schedule"] for name in ("create_backup", "audit_backups", "prune_backups")] == [
        "CRON_TZ=Europe/Berlin 0 30 23 * * ?",
        "CRON_TZ=Europe/Berlin 0 30 3 * * ?",
        "CRON_TZ=Europe/Berlin 0 30 5 * * ?",
    ]
    assert prune.variables["RETENTION"] == "last=2 daily=10"
    assert prune.variables["RETENTION_TIME_ZONE"] == "Europe/Berlin"
    assert template.topics[0].subscriptions[0].endpoint == "dba@example.com"
    assert "InstanceId" not in template.parameters


def test_it_validates_without_anything_else(ddsbackup: Run) -> None:
    """No parameter is missing, and the folder needs no code: that of the command is used."""
    ddsbackup("init", "mine", *OPTIONS)
    report = check_template(Path("mine", "template.yaml").resolve())

    assert report.findings == ()
    assert sorted(path.name for path in Path("mine").iterdir()) == ["template.yaml"]


def test_the_rest_is_the_template_of_this_command(ddsbackup: Run) -> None:
    """Every comment that is not of a removed parameter stays, and so does every line without an answer."""
    ddsbackup("init", "mine", *OPTIONS)
    new = Path("mine", "template.yaml").read_text(encoding="utf-8").splitlines()
    gone = [line for line in SHIPPED.splitlines()[2:] if line not in new]

    assert all("#" not in line or "${InstanceId}" in line for line in gone)
    assert len(gone) <= 10


def test_the_next_commands(ddsbackup: Run) -> None:
    """Each of the three is understood, and the last one makes the first backup of the chosen instances."""
    ran = ddsbackup("init", "mine", "--yes", "--instances", "env=production, backup")
    _, folder, *commands = ran.out.splitlines()

    assert folder == "  cd mine"
    assert [shlex.split(command)[1] for command in commands] == ["validate", "deploy", "invoke"]
    assert "--parameter NotifyEmail=" in commands[1]  # since nobody answered
    change = shlex.split(commands[2])[-1]
    sample = ddsbackup("event", "direct", "--set", change).json
    assert sample["select"] == {"tags": {"env": ["production"], "backup": []}}


def test_the_defaults(ddsbackup: Run) -> None:
    """--yes takes them: the instances with the tag backup, at two, and the retention of the template."""
    ran = ddsbackup("init", "--yes")
    found = timers(Path("template.yaml"))

    assert ran.status == 0
    assert json.loads(found["create_backup"]["user_event"]) == {"select": {"tags": {"backup": []}}}
    assert found["create_backup"]["schedule"] == "CRON_TZ=UTC 0 0 2 * * ?"
    assert check_template(Path("template.yaml").resolve()).ok
    assert default_retention(SHIPPED) in Path("template.yaml").read_text(encoding="utf-8")


def test_the_questions(ddsbackup: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal they are asked one by one. A wrong answer is asked again at once, an option is not asked."""
    monkeypatch.setattr("cli.init.command.is_interactive", lambda: True)
    answers = ["Europe", "eu-west-101", "dba", "dba@example.com", "", "25:00", "1:05", "last=0", "", "UTC+1", "UTC"]
    ran = ddsbackup("init", "mine", stdin="\n".join(answers) + "\n")
    more = ddsbackup("init", "more", *OPTIONS[2:], stdin="\n")

    assert ran.status == 0
    assert ran.err.count("Error: found ") == 5
    for text in ("id of a region", "an e-mail address", "such as 02:00"):
        assert text in ran.err
    assert timers(Path("mine", "template.yaml"))["create_backup"]["schedule"] == "CRON_TZ=UTC 0 5 1 * * ?"
    assert (more.status, more.err.strip()) == (0, "Region of the instances [cn-north-4]:")


def test_without_a_terminal(ddsbackup: Run) -> None:
    """The message names the options that are missing."""
    ran = ddsbackup("init", "mine", *OPTIONS[:8])

    assert (ran.status, Path("mine").exists()) == (2, False)
    assert "give --retention, --time-zone, or --yes to take the defaults" in ran.err


def test_an_existing_template_is_kept(ddsbackup: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is overwritten without --force or a yes."""
    file = Path("template.yaml")
    file.write_text("mine", encoding="utf-8")
    refused = ddsbackup("init", "--yes")
    monkeypatch.setattr("cli.init.command.is_interactive", lambda: True)
    denied = ddsbackup("init", *OPTIONS, stdin="n\n")
    kept = file.read_text(encoding="utf-8")
    agreed = ddsbackup("init", *OPTIONS, stdin="y\n")

    assert (refused.status, denied.status, kept) == (2, 1, "mine")
    assert "template.yaml exists already: choose another DIR, or give --force" in refused.err
    assert agreed.status == 0
    assert ddsbackup("init", "--yes", "--force").status == 0


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--region", "Europe", "--region: found 'Europe': expected the id of a region"),
        ("--email", "dba", "--email: found 'dba': expected an e-mail address"),
        ("--instances", f"{IDS[0]} backup", "expected ids or tags, not both"),
        ("--instances", IDS[0][:-1], "an id of an instance has 32 hexadecimal digits, in and two digits"),
        ("--instances", " ", "expected ids of instances, or tags"),
        ("--instances", "=x", "--instances: found '=x': tags"),
        ("--instances", "a=${Prefix}", "a tag cannot have a $ here"),
        ("--time", "2am", "expected hour and minute, such as 02:00 or 23:30"),
        ("--retention", "dayly=3", "did you mean"),
        ("--time-zone", "Mars/Base", "--time-zone: found 'Mars/Base': "),
    ],
)
def test_wrong_answers(ddsbackup: Run, option: str, text: str, message: str) -> None:
    """The exit status is 2, the message says what is expected, and nothing is written."""
    ran = ddsbackup("init", "mine", "--yes", option, text)

    assert (ran.status, Path("mine").exists()) == (2, False)
    assert message in ran.err


def test_again_on_what_it_has_written() -> None:
    """In a checkout the template of this command may be one that init has written: the later answers win."""
    first = answers_of(email="dba@example.com", instances={"instance_ids": IDS}, zone="Asia/Tokyo")
    second = answers_of(email="ops@example.com", instances={"select": {"tags": {"a": ["b"]}}}, zone="UTC")
    for has_schema in (True, False):
        once = changed_template(SHIPPED, first, has_schema=has_schema)
        twice = changed_template(once, second, has_schema=has_schema)
        assert twice == changed_template(SHIPPED, second, has_schema=has_schema)
        assert (SHIPPED.splitlines()[0] in twice) is has_schema


def test_a_template_with_parameters_for_the_answers() -> None:
    """A value that is a reference to a parameter gives that parameter its default."""
    text = SHIPPED.replace("          RETENTION_TIME_ZONE: UTC\n", "          RETENTION_TIME_ZONE: ${Zone}\n").replace(
        "Parameters:\n", "Parameters:\n  Zone:\n    Type: String\n"
    )
    changed = yaml.safe_load(changed_template(text, answers_of(zone="Asia/Tokyo"), has_schema=True))

    assert changed["Parameters"]["Zone"]["Default"] == "Asia/Tokyo"
    variables = changed["Resources"]["PruneBackups"]["Properties"]["Environment"]["Variables"]
    assert variables["RETENTION_TIME_ZONE"] == "${Zone}"


def test_a_template_with_one_place_for_the_instances() -> None:
    """The requests stay as they are if both refer to it. The parameter that only it referred to goes."""
    text = (
        SMALL
        + """\
Locals:
  # What is backed up.
  Instances: '"instance_ids": ["${InstanceId}"]'
"""
    )
    changed = yaml.safe_load(changed_template(text, answers_of(instances={"instance_ids": IDS}), has_schema=True))

    assert changed["Locals"]["Instances"] == f'"instance_ids": {json.dumps(IDS)}'
    assert changed["Resources"] == yaml.safe_load(SMALL)["Resources"]
    assert list(changed["Parameters"]) == ["Mail"]


def test_a_template_that_init_cannot_change_is_refused() -> None:
    """It cannot know which of several timers is meant, and reads no broken file."""
    with pytest.raises(WrongCall, match="is not valid YAML"):
        changed_template("Resources: {", answers_of(), has_schema=True)
    with pytest.raises(WrongCall, match="2 timers of create_backup with a request, expected one"):
        changed_template(SMALL + "Ignored: ${InstanceId}\n", answers_of(), has_schema=True)


@settings(max_examples=5, deadline=None)
@given(
    email=st.emails(),
    tags=st.dictionaries(st.text("abz'\"{}: #éß", min_size=1).map(str.strip), st.text("ab'\"\\: #", max_size=9)),
    minutes=st.integers(0, 24 * 60 - 1),
)
def test_any_answers_are_valid_yaml(email: str, tags: dict[str, str], minutes: int) -> None:
    """Quotes, comment signs and colons in an answer are only text."""
    select: Any = {"tags": {key: [value] for key, value in tags.items()}}
    given = answers_of(email=email, instances={"select": select}, time=divmod(minutes, 60))
    found = yaml.safe_load(changed_template(SHIPPED, given, has_schema=False))

    timer = found["Resources"]["CreateBackup"]["Events"]["Nightly"]["Properties"]
    assert json.loads(fill_in(timer["user_event"], found.get("Locals", {}))) == {"select": select}
    assert found["Parameters"]["NotifyEmail"]["Default"] == email
    assert timer["schedule"] == f"CRON_TZ=UTC 0 {minutes % 60} {minutes // 60} * * ?"


def test_tags_of_one_key_are_alternatives() -> None:
    """As in a request: any of the values."""
    assert read_instances("env=a,env=b backup") == {"select": {"tags": {"env": ["a", "b"], "backup": []}}}


def test_every_question_has_a_default_that_is_valid() -> None:
    """There are six."""
    asked = questions(default_retention(SHIPPED))
    assert len(asked) == 6
    for question in asked.values():
        question.type.convert(question.default, None, None)


def answers_of(**changes: Any) -> Answers:
    """Answers, the given ones and others."""
    values: dict[str, Any] = {
        "region": "eu-west-101",
        "email": "dba@example.com",
        "instances": {"select": {"tags": {"backup": []}}},
        "time": (2, 0),
        "retention": "last=3",
        "zone": "UTC",
    }
    return Answers(**(values | changes))
