"""`ddsbackup cost`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from cli.paths import CHECKOUT


def cost(*arguments: str) -> Result:
    """Run the command on the application's template."""
    return CliRunner().invoke(main, ["cost", "--template", str(CHECKOUT / "template.yaml"), *arguments])


def test_the_table_has_a_row_for_each_function_and_a_total() -> None:
    """The free allowance, the assumptions and the remarks follow the table."""
    result = cost("--instances", "10")

    assert result.exit_code == 0
    rows = {
        line.split()[0]: line.split()[1:] for line in result.output.splitlines() if "_backup" in line and "  " in line
    }
    assert rows["create_backup"][:3] == ["30", "256", "2.00"]
    assert rows["track_backups"][0] == "8,760"
    total = next(line for line in result.output.splitlines() if line.startswith("Total"))
    assert rows["drill_backups"][0] == "8,760"
    assert total.split()[1] == "17,611"
    assert "An account has 1,000,000 invocations and 400,000 GB-seconds a month for free" in result.output
    assert "Assumptions: 60 DDS calls a minute, 0.2 s a call, 1 s for a cold start" in result.output
    assert "! prune_backups: DRY_RUN is on" in result.output


def test_nothing_is_cut_in_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and headings stay whole, and no row is longer."""
    monkeypatch.setattr("cli.console.PIPED_WIDTH", 80)

    output = cost("--instances", "1000").output

    table = output.split("\n\n")[1].splitlines()
    assert "\N{HORIZONTAL ELLIPSIS}" not in output
    assert {"create_backup", "track_backups", "Total"} <= {line.split()[0] for line in table}
    assert max(map(len, table)) <= 80


def test_json_has_everything_in_the_table() -> None:
    """It also has the calls by operation."""
    prices = ["--price-gb-second", "0.001", "--price-million-requests", "2", "--no-free-allowance"]
    sizes = ["--backup-size", "20", "--storage", "100", "--price-backup-gb", "0.05", "--kept", "10"]

    document = json.loads(cost("--json", *prices, *sizes).output)

    create, *_ = document["functions"]
    assert create["calls"] == {
        "DDS.ListBackups": 30.417,
        "DDS.CreateManualBackup": 30.417,
        "SMN.PublishMessage": 30.417,
    }
    assert document["total"]["invocations"] == 17611.25
    assert document["backups"] == {"instances": 1, "made": 30.417, "kept_of_each_instance": 10}
    assert document["backup_gb_beyond_free"] == 100
    assert document["amounts"]["backup_storage"] == 5
    assert document["amounts"]["requests"] == pytest.approx(0.035)
    assert document["amounts"]["gb_seconds"] == pytest.approx(document["total"]["gb_seconds"] / 1000, rel=0.01)
    assert [text.partition(":")[0] for text in document["remarks"]] == ["prune_backups", "drill_backups"]


def test_amounts_are_shown_if_there_are_prices() -> None:
    """The amounts need prices, and for backups sizes."""
    output = cost("--backup-size", "20", "--storage", "100", "--price-backup-gb", "0.05", "--kept", "10").output

    assert "Backups larger than the storage of their instance, which is free: 100.0 GB." in output
    assert "At your prices: backup storage 5.00; together 5.00 a month." in output


def test_drills_cost_what_their_instances_cost() -> None:
    """Their number follows from DRILL_INTERVAL, their hours from the size of a backup, or as given."""
    sizes = ["--instances", "4", "--backup-size", "100", "--storage", "200", "--drill-hour-price", "2"]

    computed = json.loads(cost("--json", *sizes).output)
    given = json.loads(cost("--json", *sizes, "--drill-hours", "2").output)

    hours = 0.5 + 100 * 1024 / 40 / 3600
    assert computed["drills"] == {
        "number": pytest.approx(4 * 365 / 12 / 30, abs=0.001),
        "hours_each": pytest.approx(hours, abs=0.001),
        "instance_hours": pytest.approx(4 * 365 / 12 / 30 * hours, abs=0.001),
        "dry_run": True,
    }
    assert computed["amounts"]["drills"] == pytest.approx(computed["drills"]["instance_hours"] * 2, abs=0.01)
    assert given["amounts"]["drills"] == pytest.approx(4 * 365 / 12 / 30 * 2 * 2, abs=0.01)


def test_measured_durations_and_other_memory_sizes() -> None:
    """A value applies to one function or to all."""
    document = json.loads(cost("--json", "--duration", "2", "--duration", "create_backup=9", "--memory", "512").output)

    assert [round(f["seconds"] / f["invocations"]) for f in document["functions"]] == [9, 2, 2, 2, 2]
    assert {f["memory_mb"] for f in document["functions"]} == {512}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--storage", "100"], "found only one of --backup-size and --storage, expected both or neither"),
        (["--price-backup-gb", "1"], "expected --backup-size and --storage, too"),
        (["--duration", "create_backups=9"], "no function 'create_backups', did you mean 'create_backup'?"),
        (["--duration", "create_backup=soon"], "found 'soon', expected a positive number"),
        (["--memory", "-1"], "found '-1', expected a positive number"),
        (["--memory", "inf"], "found 'inf', expected a positive number"),
        (["--instances", "0"], "--instances"),
    ],
)
def test_wrong_calls(arguments: list[str], said: str) -> None:
    """The exit status is 2, and the message says what was expected."""
    result = cost(*arguments)

    assert result.exit_code == 2
    assert said in result.output


def test_an_invalid_schedule(tmp_path: Path) -> None:
    """An invalid schedule is an error without a traceback."""
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8").replace("0 0 8 * * ?", "0 0 25 * * ?")
    (tmp_path / "template.yaml").write_text(text, encoding="utf-8")
    for folder in ("functions", "shared"):
        (tmp_path / folder).symlink_to(CHECKOUT / folder)

    result = CliRunner().invoke(main, ["cost", "--template", str(tmp_path / "template.yaml")])

    assert (result.exit_code, "is not within 0 to 23" in result.output) == (2, True)
