"""Files that look like secrets are refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.package.contents import refuse_secrets
from cli.package.model import PackagingFailed
from cli.template.model import Function
from tests.package.conftest import PYTHON, a_function, build, names


KEY = "-----BEGIN {}PRIVATE KEY-----\nMIIE\n"
SECRETS = {
    "production.env": "",
    ".env": "",
    ".env.local": "",
    ".netrc": "",
    "id_rsa": "",
    "id_ed25519_work": "",
    "Credentials.csv": "",
    "credentials.json": "",
    "secrets.yaml": "",
    "prod.tfvars": "",
    "data/server.key": "",
    "data/store.p12": "",
    "data/server.pem": KEY.format(""),
    "data/notes.txt": "first\n" + KEY.format("RSA "),
}
HARMLESS = {
    "credentials.py": "",
    "secrets.py": "PATTERN = '" + KEY.format("").strip().replace("\n", " ") + "'\n",
    "id_rsa.pub": "",
    "data/authorities.pem": "-----BEGIN CERTIFICATE-----\nMIIE\n",
    "environment.json": "",
    "keys.json": "",
    ".git/credentials": "",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("place", ["functions/greet", "shared"])
def test_a_file_that_looks_like_a_secret_is_an_error(tmp_path: Path, name: str, place: str) -> None:
    """The error names the file, in the function's folder or in shared, and says how to allow it."""
    write(tmp_path / place, {name: SECRETS[name]})

    with pytest.raises(PackagingFailed) as caught:
        refuse_secrets([a_function(tmp_path, tmp_path / "functions" / "greet")], tmp_path / "build", ())

    assert f"  {place}/{name}: " in caught.value.message
    assert f"--allow-file '{place}/{name}'" in caught.value.message


def test_other_files_are_no_secrets(tmp_path: Path) -> None:
    """Modules, public keys, certificates, and what is in folders that are never packed."""
    write(tmp_path / "code", HARMLESS)
    write(tmp_path / "build", SECRETS)

    refuse_secrets([a_function(tmp_path, tmp_path / "code")], tmp_path / "build", ())
    refuse_secrets([a_function(tmp_path, tmp_path)], tmp_path / "build", ())


@pytest.mark.parametrize("pattern", ["server.pem", "*.pem", "functions/greet/data/server.pem", "functions/*"])
def test_an_allowed_file_is_packed(application: Callable[..., Function], tmp_path: Path, pattern: str) -> None:
    """The pattern matches its name, or its path from the folder of the template. Only what is named is let through."""
    function = application(**{"functions/greet/data/server.pem": KEY.format("EC ")})

    with pytest.raises(PackagingFailed, match=r"data/server\.pem: it contains a private key"):
        build(function, tmp_path, with_byte_code=False, allowed=["pem", "other.pem"])
    package = build(function, tmp_path, with_byte_code=False, allowed=["other.pem", pattern])

    assert "data/server.pem" in names(package)


def test_all_secrets_are_named_at_once(tmp_path: Path) -> None:
    """Several functions name a file in shared once."""
    write(tmp_path / "shared", SECRETS)
    functions = [a_function(tmp_path, tmp_path / name) for name in ("one", "two")]

    with pytest.raises(PackagingFailed) as caught:
        refuse_secrets(functions, tmp_path / "build", ["id_rsa"])

    named = [line for line in caught.value.message.splitlines() if line.startswith("  ")]
    assert len(named) == len(SECRETS) - 1


TEMPLATE = f"""\
Resources:
  Greet:
    Type: HC::Serverless::Function
    Properties:
      FunctionName: greet
      CodeUri: functions/greet
      Handler: index.handler
      Runtime: Python{PYTHON if PYTHON != "3.11" else "3.10"}
"""


def test_the_command_refuses_and_allows(application: Callable[..., Function], monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused file is exit status 1, and no package is written."""
    root = application(**{"functions/greet/production.env": "A=1\n"}).code_root
    (root / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    monkeypatch.chdir(root)
    command = ["package", "--full", "--without-byte-code", "--json"]

    refused = CliRunner().invoke(main, command)
    allowed = CliRunner().invoke(main, [*command, "--allow-file", "production.env"])

    assert (refused.exit_code, refused.stdout, allowed.exit_code) == (1, "", 0)
    assert "functions/greet/production.env" in refused.stderr
    assert len(json.loads(allowed.stdout)["packages"]) == 1
