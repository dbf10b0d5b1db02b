"""``ddsbackup permissions``."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from cli.main import main


def run(*arguments: str) -> Result:
    """Run the command on the application's own template."""
    return CliRunner().invoke(main, ["permissions", *arguments])


def test_stdout_is_the_policy_alone() -> None:
    """Standard output has only the policy, ready to paste. Explanations go to standard error."""
    result = run("prune_backups")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["Statement"][0]["Action"][0] == "dds:backup:delete"
    assert "dds-backup-prune for prune_backups" in result.stderr
    assert "FunctionGraph itself sends to an SMN topic" in result.stderr


def test_all_agencies_as_json() -> None:
    """With --json, one document has every agency with its functions, operations and policy."""
    document = json.loads(run("--json").stdout)

    assert [entry["agency"].removeprefix("dds-backup-") for entry in document] == [
        *("create", "audit", "track", "prune", "drill")
    ]
    assert "DDS.CreateManualBackup" in document[0]["operations"]
    assert document[0]["policy"]["Version"] == "1.1"


def test_identity_policies() -> None:
    """With --identity-policy, the policy has version 5.0 and the names of that model."""
    policy = json.loads(run("create_backup", "--identity-policy").stdout)

    assert policy["Version"] == "5.0"
    assert "dds:backup:create" in policy["Statement"][0]["Action"]


def test_an_unknown_function_is_a_wrong_call() -> None:
    """The error for an unknown function has a suggestion."""
    result = run("prune_backup")

    assert result.exit_code == 2
    assert "did you mean 'prune_backups'?" in result.stderr


def test_a_template_without_permissions(tmp_path: Path) -> None:
    """The command says that there is nothing to allow."""
    (tmp_path / "index.py").write_text("def handler(event, context): ...\n", encoding="utf-8")
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources: {One: {Type: 'HC::Serverless::Function', Properties:"
        " {CodeUri: ., Handler: index.handler, Runtime: Python3.10}}}",
        encoding="utf-8",
    )

    assert "There is nothing to allow: no function in the template has" in run("--template", str(template)).stderr
    assert "There is nothing to allow: One does not have" in run("One", "--template", str(template)).stderr
