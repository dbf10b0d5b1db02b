"""No command deploys or packages what does not pass the preflight."""

from pathlib import Path

import pytest

from localcloud import LocalCloud
from tests.deploy.conftest import writes
from tests.preflight.conftest import GIVEN, Change, Run


AT = "0 0 2 * * ?\"\n          user_event: '"
FAULTS = [
    ("RETENTION: last=3", "RETENTON: last=3", "unknown_setting", "RETENTON is not a setting, and has no effect"),
    ("NOTIFY_TOPIC_URN: ${", "MAX_CONCURENCY: 4\n        NOTIFY_TOPIC_URN: ${", "unknown_setting", "MAX_CONCURENCY"),
    ("0 0 2 * * ?", "0 0 25 * * ?", "schedule", "'25' is not within 0 to 23"),
    ("=UTC 0 0 2", "=Mars/Base 0 0 2", "schedule", "there is no time zone 'Mars/Base'"),
    (
        AT + "{${Instances}}",
        AT + '{${Instances}, "min_intervall": "1h"}',
        "request",
        "min_intervall: unknown field (did you mean min_interval?)",
    ),
    (AT + "{${Instances}}", AT + "{${Instances}", "request", "not JSON: Expecting ',' delimiter at line 1, column"),
    ("RETENTION: last=3 daily=7 weekly=4", "RETENTION: last=5 daily=30 weekly=4", "setting", "RETENTION"),
    ("MemorySize: 256", "MemorySize: 257", "value", "found 257"),
]
"""The templates of the review: old text, new text, code and text of the finding."""


@pytest.mark.parametrize(("old", "new", "code", "found"), FAULTS)
def test_deploy_refuses(run: Run, change: Change, cloud: LocalCloud, old: str, new: str, code: str, found: str) -> None:
    """It prints the finding and makes no call that changes something."""
    change((old, new))

    ran = run("deploy", *GIVEN, "--cloud", cloud.url, "--yes", "--json")

    assert ran.status == 1
    assert ran.json["ok"] is False
    assert {one["code"] for one in ran.json["findings"]} == {code}
    assert found in ran.err
    assert "Nothing was changed." in ran.err
    assert writes(cloud) == []


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("InstanceId", "oops", "found the instance 'oops'"),
        ("NotifyEmail", "notamail", "found 'notamail'"),
        ("Prefix", "d" * 63, "expected: at most 64 characters"),
        ("Prefix", "a b", 'found "a b"'),
    ],
)
def test_deploy_refuses_values(run: Run, cloud: LocalCloud, name: str, value: str, found: str) -> None:
    """The place where a parameter is used says what its value must be."""
    ran = run("deploy", *GIVEN, "--parameter", f"{name}={value}", "--cloud", cloud.url, "--yes")

    assert (ran.status, found in ran.err, writes(cloud)) == (1, True, [])


@pytest.mark.parametrize("command", ["package", "terraform"])
def test_nothing_is_written(run: Run, change: Change, application: Path, command: str) -> None:
    """package and terraform need no values of parameters, and stop at the same errors."""
    change(FAULTS[0][:2], FAULTS[2][:2])

    ran = run(command, "--json")

    assert (ran.status, [code for _, code, _ in ran.findings if code != "no_value"]) == (
        1,
        ["schedule", "unknown_setting"],
    )
    assert not (application / "build").exists()


def test_a_warning_stops_nothing(run: Run, change: Change, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is printed, and the deployment goes on to its packages."""
    change(("TRACK_PERIOD: 5m", "TRACK_PERIOD: 10m"))
    packed = []

    def pack(functions: object, **_: object) -> tuple[()]:
        packed.append(functions)
        return ()

    monkeypatch.setattr("cli.deploy.deployment.build_packages", pack)
    ran = run("deploy", *GIVEN, "--cloud", cloud.url, "--dry-run")

    assert (ran.status, len(packed)) == (0, 1)
    assert "[timer_period]" in ran.err


def test_doctor_has_the_same_findings(run: Run, change: Change, cloud: LocalCloud) -> None:
    """They are problems and warnings of the check template. With an invalid template nothing else is compared."""
    change(FAULTS[0][:2])
    ran = run("doctor", *GIVEN, "--cloud", cloud.url, "--skip-code", "--json")
    change(FAULTS[7][:2])
    invalid = run("doctor", *GIVEN, "--cloud", cloud.url, "--skip-code", "--json")

    found = [one for one in ran.json["findings"] if one["check"] == "template"]
    assert [(one["level"], one["found"]) for one in found] == [("problem", FAULTS[0][3])]
    assert {one["check"] for one in ran.json["findings"]} >= {"functions", "agencies", "instances"}
    assert (ran.status, invalid.status) == (1, 1)
    assert {one["check"] for one in invalid.json["findings"]} == {"template"}
