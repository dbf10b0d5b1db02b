"""``ddsbackup permissions``."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from cli.main import main


def run(*arguments: str) -> Result:
    """Run the command on the application's own template."""
    return CliRunner().invoke(main, ["permissions", *arguments])


def test_a_functions_policy_alone_is_printed_for_pasting() -> None:
    """Standard output is the policy and nothing else; what it is for goes to standard error."""
    result = run("prune_backups")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["Statement"][0]["Action"][0] == "dds:backup:delete"
    assert "dds-backup-prune for prune_backups" in result.stderr
    assert "FunctionGraph itself sends to an SMN topic" in result.stderr


def test_all_agencies_as_json() -> None:
    """One document has every agency with its functions, operations and policy."""
    document = json.loads(run("--json").stdout)

    assert [entry["agency"].removeprefix("dds-backup-") for entry in document] == ["create", "audit", "track", "prune"]
    assert "DDS.CreateManualBackup" in document[0]["operations"]
    assert document[0]["policy"]["Version"] == "1.1"


def test_identity_policies_on_demand() -> None:
    """The other form has its own version and its own names."""
    policy = json.loads(run("create_backup", "--identity-policy").stdout)

    assert policy["Version"] == "5.0"
    assert "dds:backup:create" in policy["Statement"][0]["Action"]


def test_an_unknown_function_is_a_wrong_call() -> None:
    """A function that the template does not have is answered with those that it has."""
    result = run("prune_backup")

    assert result.exit_code == 2
    assert "did you mean 'prune_backups'?" in result.stderr


def test_a_template_without_permissions_is_told(tmp_path: Path) -> None:
    """Nothing to allow is said, not shown as nothing."""
    (tmp_path / "index.py").write_text("def handler(event, context): ...\n", encoding="utf-8")
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources: {One: {Type: 'HC::Serverless::Function', Properties:"
        " {CodeUri: ., Handler: index.handler, Runtime: Python3.10}}}",
        encoding="utf-8",
    )

    assert "There is nothing to allow: no function here has" in run("--template", str(template)).stderr
    assert "There is nothing to allow: One does not have" in run("One", "--template", str(template)).stderr
