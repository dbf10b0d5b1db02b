"""Deploy, back up with the uploaded package, check and destroy, using only the commands."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from cli.paths import CHECKOUT
from localcloud import LocalCloud


INSTANCE = "a89dab5e39394eccbdb77b19d57b0180in02"


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """create_backup with shared/ and its part of the template."""
    for name in ("shared", "functions/create_backup"):
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "requirements.txt", tmp_path)
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
    (tmp_path / "template.yaml").write_text(text[: text.index("  AuditBackups:\n")], encoding="utf-8")
    (tmp_path / "parameters.env").write_text(f"NotifyEmail=dba@example.com\nInstanceId={INSTANCE}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("quick_packages", "application")
def test_deploy_backup_doctor_destroy(cloud: LocalCloud) -> None:
    """The local cloud enforces policies, so the granted permissions are sufficient."""
    cloud.switch(enforce_policies=True)

    def ddsbackup(*arguments: str) -> Result:
        result = CliRunner().invoke(main, [*arguments, "--cloud", cloud.url])
        assert result.exit_code == 0, result.output
        return result

    parameters = ("--parameters-file", "parameters.env")
    event = json.dumps({"instance_ids": [INSTANCE], "idempotency_key": "end-to-end"})
    Path("event.json").write_text(event, encoding="utf-8")

    first = json.loads(ddsbackup("deploy", *parameters, "--yes", "--json").stdout)
    answer = json.loads(ddsbackup("invoke", "create_backup", "--deployed", "-e", "event.json", "--json").stdout)
    second = json.loads(ddsbackup("deploy", *parameters, "--yes", "--json").stdout)
    health = json.loads(ddsbackup("doctor", *parameters, "--json").stdout)
    backups = {backup["id"] for backup in cloud.state()["backups"]}
    ddsbackup("destroy", "--yes")
    last = json.loads(ddsbackup("destroy", "--yes", "--json").stdout)

    assert {change["state"] for change in first["changes"]} == {"done"}
    line = Path("template.yaml").read_text(encoding="utf-8").partition("  DrillEnterpriseProjectId:")[0].count("\n") + 1
    (result,) = answer["result"]["results"]
    assert (result["outcome"], result["instance_id"], result["notified"]) == ("CREATED", INSTANCE, True)
    assert result["backup_id"] in backups
    assert second["changes"] == []
    assert {item["level"] for item in health["findings"]} == {"ok", "warning"}
    assert [item["subject"] for item in health["findings"] if item["level"] == "warning"] == [
        f"template.yaml:{line} Parameters.DrillEnterpriseProjectId",  # only the drills need it
        "subscriptions of dds-backup",
        "subscriptions of dds-backup-failures",
    ]
    assert last["changes"] == []
    assert result["backup_id"] in {backup["id"] for backup in cloud.state()["backups"]}
