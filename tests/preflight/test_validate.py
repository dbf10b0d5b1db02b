"""``ddsbackup validate``: what it finds in a template, with its line, and how it says so."""

from pathlib import Path

import pytest

from tests.preflight.conftest import GIVEN, Change, Run, line_of


RETENTION = "RETENTION: last=3 daily=7 weekly=4 monthly=12 yearly=2 max_age=800d"
AT = '0 0 2 * * ?"\n          user_event: '
IDS = AT + "'{${Instances}}'"
FILTERED = ("warning", "filtered_failures", "all subscriptions of NotifyTopic have a FilterPolicy")
PERMISSIONS = """      Permissions:
        - DDS.CreateManualBackup
        - DDS.ListBackups
        - DDS.ListInstances
        - DDS.ListTasks
        - SMN.PublishMessage
"""
PRUNES_DRY = 'docs/prune_backups.md.\n          DRY_RUN: "true"'
DRILLS_DRY = 'docs/drill_backups.md.\n          DRY_RUN: "true"'
NAMED = '{"instance_ids": ["oops"]}'
CONSEQUENCES = {
    "permission": "missing_permission",
    "endpoint": "unused_parameter",
    "reference": "unused_parameter",
    "default_enterprise_project": "unused_parameter",
}
"""The second finding that some changes of the test cannot avoid, by the code of the first."""


def test_the_template_of_the_application_is_valid(run: Run) -> None:
    """With its two values it has no finding, and the next three runs of each timer are shown in its zone and in UTC."""
    ran = run("validate", *GIVEN, "--json")

    assert (ran.status, ran.findings) == (0, [])
    document = ran.json
    assert (document["version"], document["ok"]) == (1, True)
    assert [(one["function"], one["timer"], len(one["next_runs"])) for one in document["timers"]] == [
        ("create_backup", "Nightly", 3),
        ("audit_backups", "Morning", 3),
        ("track_backups", "EveryFiveMinutes", 3),
        ("prune_backups", "AfterTheBackups", 3),
        ("drill_backups", "EveryFiveMinutes", 3),
    ]


def test_without_values_the_rest_is_checked(run: Run) -> None:
    """Each parameter without a value is named, with the option that gives it one."""
    ran = run("validate")

    assert ran.status == 0
    assert f"template.yaml:{line_of('  InstanceId:')}: not checked: Parameters.InstanceId: found no value" in ran.out
    assert "what to do: give --parameter InstanceId=... or a --parameters-file" in ran.out
    assert ran.out.endswith("0 errors, 0 warnings, 2 not checked in template.yaml\n")


@pytest.mark.parametrize(
    ("old", "new", "place", "level", "code", "found"),
    [
        # Settings.
        (RETENTION, "RETENTIONS_: x", "RETENTIONS_:", "warning", "unknown_setting", "RETENTIONS_ is not a setting"),
        (PRUNES_DRY, PRUNES_DRY.replace("true", "perhaps"), "DRY_RUN:", "error", "setting", "'perhaps'"),
        (
            DRILLS_DRY,
            DRILLS_DRY.replace("true", "false"),
            'DRY_RUN: "false',
            "error",
            "setting",
            "PROJECT_ID: required",
        ),
        (
            "${DrillEnterpriseProjectId}",
            "0",
            "DRILL_ENTERPRISE_PROJECT_ID: 0",
            "error",
            "default_enterprise_project",
            "could delete every instance",
        ),
        (
            "          DRILL_PERIOD: 5m\n",
            "          DRILL_PERIOD: 5m\n          DRILL_CONNECT: 'true'\n",
            "DRILL_CONNECT:",
            "warning",
            "drill_connect",
            "cannot reach the copy",
        ),
        ("DRILL_PERIOD: 5m", "DRILL_PERIOD: 10m", "DRILL_PERIOD:", "warning", "timer_period", "fires every 5m"),
        (
            "        NOTIFY_TOPIC_URN: ${",
            "        MY_OWN: ${",
            "Variables:\n        MY",
            "error",
            "setting",
            "is missing",
        ),
        ("TRACK_PERIOD: 5m", "TRACK_PERIOD: 10m", "TRACK_PERIOD:", "warning", "timer_period", "fires every 5m"),
        # Schedules.
        ("0 0 2 * * ?", "0 0 2 30 2 ?", "0 0 2", "error", "schedule", "which is never due"),
        (
            "0 0 2 * * ?",
            "0 0 2 ? * 1-5",
            "0 0 2",
            "warning",
            "weekday_number",
            "the documents of FunctionGraph disagree",
        ),
        ("5m\n\n  PruneBackups", "90m\n\n  PruneBackups", "schedule: 90m", "error", "value", 'found "90m"'),
        # Requests.
        (
            IDS,
            AT + "'{${Instances}'",
            "'{${Instances}'",
            "error",
            "request",
            "not JSON: Expecting ',' delimiter at line 1",
        ),
        (IDS, f"{AT}'{NAMED}'", "oops", "error", "instance_id", "found the instance 'oops'"),
        ("2h", "2 hours", "2 hours", "error", "request", "policies.0.grace"),
        # Limits of the platform.
        ("Agency: ${Prefix}-prune", f"Agency: {'a' * 65}", "aaa", "error", "value", "(length 65)"),
        # References, permissions and parameters.
        ("${Prefix}-prune", "${Prefx}-prune", "Prefx", "error", "reference", "did you mean 'Prefix'?"),
        (
            "        - DDS.DeleteManualBackup\n",
            "",
            None,
            "error",
            "missing_permission",
            "DDS.DeleteManualBackup is missing",
        ),
        ("DeleteManualBackup", "DeleteBackup", "DeleteBackup", "error", "permission", "'DDS.DeleteBackup'"),
        ("      Agency: ${Prefix}-track\n", "", None, "error", "agency", "found no Agency"),
        ("Parameters:\n", "Parameters:\n  Idle: {Type: String}\n", "Idle", "warning", "unused_parameter", "nothing"),
        ("${NotifyEmail}\n          #", "dba\n          #", "Endpoint: dba", "error", "endpoint", "found 'dba'"),
        ("Locals:\n", "Locals:\n  Idle: x\n", "Idle", "warning", "unused_text", "nothing refers to it, so that"),
        (
            "Locals:\n",
            "Locals:\n  Prefix: x\n",
            "Prefix: x",
            "error",
            "name",
            "a parameter or resource of the same name",
        ),
        ('["${InstanceId}"]', '["${Instances}"]', '"instance', "error", "reference", "${Instances} is not a parameter"),
        ("${FailureTopic}\n    Events:\n      N", "${NotifyTopic}\n    Events:\n      N", None, *FILTERED),
        (PERMISSIONS, "", None, "not_checked", "existing_agency", "dds-backup-create is not deployed"),
        ("[notice, warning, error]", "[notice, not good]", "[notice, not", "error", "value", 'found "not good"'),
    ],
)
def test_each_fault_is_found(
    run: Run,
    change: Change,
    application: Path,
    old: str,
    new: str,
    place: str | None,
    level: str,
    code: str,
    found: str,
) -> None:
    """It has one finding with a stable code, on its line. Only an error is a failure."""
    change((old, new))
    ran = run("validate", *GIVEN, "--json")

    findings = [one for one in ran.json["findings"] if one["code"] != CONSEQUENCES.get(code)]
    assert {(one["level"], one["code"]) for one in findings} == {(level, code)}
    assert any(found in one["found"] for one in findings)
    assert all(one["what_to_do"] for one in findings)
    assert ran.status == (1 if level == "error" else 0)
    if place:
        text = (application / "template.yaml").read_text(encoding="utf-8")
        assert findings[0]["line"] == text[: text.index(place)].count("\n") + 1


def test_everything_at_once(run: Run, change: Change) -> None:
    """A value that the schema does not allow hides no fault elsewhere. The findings have the order of the lines."""
    change(
        ("MemorySize: 256", "MemorySize: 257"),
        (IDS, AT + "'{${Instances}'"),
        ("0 0 2 * * ?", "0 0 25 * * ?"),
        (RETENTION, "RETENTON: daily=60"),
        ("${Prefix}-prune", "${Prefx}-prune"),
    )
    ran = run("validate", "--parameter", "NotifyEmail=notamail", "--parameter", "InstanceId=oops", "--json")

    codes = [
        "value",
        "endpoint",
        "endpoint",
        "schedule",
        "request",
        "instance_id",
        "reference",
        "unknown_setting",
        "instance_id",
    ]
    assert (ran.status, [code for _, code, _ in ran.findings]) == (1, codes)
    assert [line for _, _, line in ran.findings] == sorted(line for _, _, line in ran.findings)
    assert ("error", "schedule", line_of("0 0 2 * * ?")) in ran.findings
    assert ("error", "unknown_setting", line_of(RETENTION)) in ran.findings


def test_a_fault_of_globals_is_one_finding(run: Run, change: Change) -> None:
    """All five functions have it, and it is on one line."""
    change(("        NOTIFY_TOPIC_URN:", "        MAX_CONCURRENCY: 99\n        NOTIFY_TOPIC_URN:"))

    ran = run("validate", *GIVEN)

    assert ran.status == 1
    assert ran.out.count("template.yaml:") == 1
    line = line_of("NOTIFY_TOPIC_URN: ${NotifyTopic}")
    key = "Globals.Function.Environment.Variables.MAX_CONCURRENCY"
    assert (
        f"template.yaml:{line}: error: {key}: input should be less than or equal to 64; found '99' [setting]" in ran.out
    )


def test_a_value_is_named_after_its_parameter(run: Run) -> None:
    """The finding is about the place that has the wrong value, and names the parameter that gave it."""
    ran = run("validate", "--parameter", "NotifyEmail=dba", "--parameter", "InstanceId=oops", "--json")

    line = line_of("  Instances: '\"instance")
    assert [(one["code"], one["what_to_do"].rpartition(". ")[2]) for one in ran.json["findings"]] == [
        *[("endpoint", "The value has the parameter NotifyEmail in it")] * 2,
        *[("instance_id", f"The value has the parameter InstanceId and the text Instances of line {line} in it")] * 3,
    ]


def test_a_request_with_a_parameter_that_has_no_value(run: Run, change: Change) -> None:
    """What the value cannot mend is found: an unknown field, and a text that is not JSON whatever the value is."""
    change((IDS, IDS.replace("}'", ', "nmae": "x"}\'')), ('"grace": "2h"}]}', '"grace": "${Prefix}"}'))

    assert [finding[:2] for finding in run("validate", "--json").findings if finding[0] == "error"] == [
        ("error", "request"),
        ("error", "request"),
    ]


def test_a_setting_with_a_parameter_that_has_no_value(run: Run, change: Change) -> None:
    """It is not judged by its reference, neither as a whole nor in part."""
    change(
        ("NOTIFY_TOPIC_URN: ${NotifyTopic}", 'NOTIFY_TOPIC_URN: "urn:smn:cn-north-4:${InstanceId}:t"'),
        (PRUNES_DRY, PRUNES_DRY.replace('"true"', "${InstanceId}")),
    )

    assert {code for _, code, _ in run("validate", "--json").findings} == {"no_value"}


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("a: &a [*a]\n", 1, "an alias refers to its own ancestor"),
        ("\na: 2026-02-30\n", 2, "found '2026-02-30', which is not a valid timestamp"),
        ("Resources: {\n", 2, "not valid YAML: while parsing a flow node"),
        ("", 1, "found an empty file"),
    ],
)
def test_a_file_that_is_not_a_template(run: Run, application: Path, text: str, line: int, found: str) -> None:
    """It is a finding with its line, for this command and for deploy."""
    (application / "template.yaml").write_text(text, encoding="utf-8")

    ran, deployed = run("validate", *GIVEN, "--json"), run("deploy", *GIVEN, "--cloud", "http://127.0.0.1:1", "--yes")

    (finding,) = ran.json["findings"]
    assert (ran.status, finding["code"], finding["line"]) == (1, "yaml", line)
    assert finding["found"].startswith(found)
    assert (deployed.status, f"template.yaml:{line}: error: {found}" in deployed.err) == (1, True)


def test_a_file_that_is_not_there(run: Run) -> None:
    """It is a wrong call."""
    ran = run("validate", "--template", "nosuch.yaml")

    assert (ran.status, "cannot read the template nosuch.yaml" in ran.err) == (2, True)


def test_a_function_of_another_application(run: Run, application: Path) -> None:
    """Its settings and requests cannot be checked, which is said. The rest of it is."""
    (application / "hello").mkdir()
    (application / "hello" / "index.py").write_text("def handler(event, context): ...\n", encoding="utf-8")
    (application / "template.yaml").write_text(
        "Resources:\n  Hello:\n    Type: HC::Serverless::Function\n    Properties:\n      CodeUri: hello\n"
        "      Handler: index.handler\n      Runtime: Python3.10\n",
        encoding="utf-8",
    )
    ran = run("validate", "--json")

    assert (ran.status, ran.findings) == (0, [("not_checked", "unknown_function", 5)])


def test_a_time_zone_is_shown_beside_utc(run: Run, change: Change) -> None:
    """Both clocks show the same moment."""
    change(("CRON_TZ=UTC 0 0 2 * * ?", "CRON_TZ=Asia/Kolkata 0 0 2 * * ?"))
    (timer, *_), text = run("validate", *GIVEN, "--json").json["timers"], run("validate", *GIVEN).out

    assert timer["zone"] == "Asia/Kolkata"
    assert {run_["local"][10:] for run_ in timer["next_runs"]} == {"T02:00:00+05:30"}
    assert {run_["utc"][10:] for run_ in timer["next_runs"]} == {"T20:30:00Z"}
    assert "02:00:00 Asia/Kolkata" in text
