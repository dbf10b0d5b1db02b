"""``ddsbackup terraform``: what it writes and prints."""

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from tests.terraform.templates import GATEWAY, everything, function, write


FILES = ["terraform.tf.json", "variables.tf.json", "main.tf.json", "outputs.tf.json"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, everything())
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["terraform", *arguments])


def test_files_are_written_and_the_next_steps_shown(tmp_path: Path) -> None:
    """The files go to build. The next steps name the required variables, except secrets."""
    result = run()
    assert result.exit_code == 0
    assert sorted(file.name for file in (tmp_path / "build").iterdir()) == sorted(FILES)
    assert "terraform -chdir=build init\n" in result.stdout
    given = "-var region=... -var id=... -var vpc_id=..."
    assert f"terraform -chdir=build apply {given}\n" in result.stdout
    assert "kafka_password" not in result.stdout
    assert "worker.zip, Helper.zip: run ddsbackup package" in result.stderr
    assert "By hand: worker sends to OBS" in result.stderr
    assert "By hand: worker is in a VPC and reaches DDS and SMN only through it" in result.stderr


def test_json() -> None:
    """With --json, one document has files, resources, required variables, missing packages and notes."""
    document = json.loads(run("--json").stdout)
    assert [Path(file).name for file in document["files"]] == FILES
    assert "huaweicloud_fgs_function.worker" in document["resources"]
    assert document["required_variables"] == ["region", "id", "kafka_password", "vpc_id"]
    assert document["missing_packages"] == ["worker.zip", "Helper.zip"]
    assert len(document["by_hand"]) == 2


def test_what_the_template_exposes_is_a_warning(tmp_path: Path) -> None:
    """Endpoints without TLS and gateways without authentication or TLS work, but probably not as intended."""
    gateway = {**GATEWAY, "auth": "NONE", "protocol": "HTTP"}
    variables = {"DDS_ENDPOINT": "http://10.0.0.1", "SMN_ENDPOINT": "https://smn.example.com"}
    worker = function(FunctionName="worker", Environment={"Variables": variables})
    worker["Events"] = {"Api": {"Type": "APIG", "Properties": gateway}}
    write(tmp_path, {"Resources": {"Worker": worker}})

    document, result = json.loads(run("--json").stdout), run()

    here = "Resources.Worker."
    variable, api = f"{here}Properties.Environment.Variables.DDS_ENDPOINT", f"{here}Events.Api.Properties"
    assert sorted(document["warnings"]) == [
        f"{api}.auth: auth is NONE, so that anybody who knows the URL can call the function. Expected IAM or APP.",
        f"{api}.protocol: protocol is HTTP, so that requests and their credentials go in clear text. Expected HTTPS.",
        f"{variable}: DDS_ENDPOINT is http://, so that the security token goes in clear text. Expected https://.",
    ]
    assert result.stderr.count("warning: Resources.Worker.") == 3


def test_packages_that_are_there_are_not_missing(tmp_path: Path) -> None:
    """Packages are looked for in the folder of the configuration."""
    for name in ("worker.zip", "Helper.zip"):
        (tmp_path / name).write_bytes(b"")
    result = run("--out", ".")
    assert "Missing" not in result.stderr
    assert "terraform -chdir=. init" in result.stdout


def test_rfs(tmp_path: Path) -> None:
    """With --rfs, one zip is written, with the same bytes each time, and the steps in the console are shown."""
    result = run("--rfs")
    assert result.exit_code == 0
    file = tmp_path / "build" / "rfs.zip"
    first = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == sorted(FILES)
        assert json.loads(archive.read("variables.tf.json"))["variable"]["code_url"]["type"] == "string"
    assert "Upload worker.zip, Helper.zip from build" in result.stdout
    assert "upload build/rfs.zip" in result.stdout
    assert run("--rfs").exit_code == 0
    assert file.read_bytes() == first
    assert [path.name for path in (tmp_path / "build").iterdir()] == ["rfs.zip"]


def test_a_configuration_too_large_for_rfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration that RFS would reject is an error."""
    monkeypatch.setattr("cli.terraform.configuration.RFS_LIMIT", 1000)
    result = run("--rfs")
    assert result.exit_code == 2
    assert "expected at most 1000, the limit of RFS" in result.stderr
    assert run().exit_code == 0


def test_a_configuration_that_terraform_would_reject(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message names the resource and the attribute, and nothing is written."""
    monkeypatch.setattr("cli.terraform.resources._async_invoke", lambda function, settings: {"max_retry": 1})
    result = run()
    assert result.exit_code == 2
    here = "huaweicloud_fgs_async_invoke_configuration.worker"
    assert f"{here}: max_retry: unknown attribute" in result.stderr
    assert f"{here}: function_urn: missing" in result.stderr
    assert not (tmp_path / "build").exists()


def test_an_unknown_permission(tmp_path: Path) -> None:
    """Problems of the template are reported as by other commands."""
    write(tmp_path, {"Resources": {"F": function(Agency="a", Permissions=["DDS.ListBackup"])}})
    result = run()
    assert result.exit_code == 1
    assert "did you mean 'DDS.ListBackups'?" in result.stderr


def test_a_folder_that_cannot_be_created(tmp_path: Path) -> None:
    """The message names the file that cannot be written."""
    (tmp_path / "file").write_text("")
    result = run("--out", "file/build")
    assert result.exit_code == 2
    assert "cannot write file/build/terraform.tf.json" in result.stderr


@pytest.mark.parametrize(("python", "status"), [("3.12", 0), ("3.10", 2)])
def test_a_package_for_another_python_than_the_template(python: str, status: int, tmp_path: Path) -> None:
    """FunctionGraph would run it with the Runtime of the template, so nothing is written."""
    build = tmp_path / "build"
    build.mkdir()
    properties = [{"name": "ddsbackup:python", "value": python}]
    bill = {"metadata": {"component": {"properties": properties}}}
    (build / "worker.cdx.json").write_text(json.dumps(bill), encoding="utf-8")
    (build / "Helper.cdx.json").write_text("{}", encoding="utf-8")

    result = run()

    assert result.exit_code == status
    assert (build / "main.tf.json").exists() == (status == 0)
    found = "build/worker.zip is for Python 3.10, expected Python3.12, the Runtime of worker in the template"
    assert (found in result.stderr) == (status == 2)
