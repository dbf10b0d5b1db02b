"""``ddsbackup package --verify``: a zip against the package that the checkout makes."""

import json
import stat
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.package.archive import zipped
from cli.package.bytecode import RECORD_READER
from cli.package.model import Files
from cli.package.sbom import BILL
from cli.package.verify import MEANINGS
from cli.paths import CHECKOUT
from cli.template.model import Function
from tests.package.conftest import PYTHON, build
from tests.package.test_bytecode import LINUX


TAG = sys.implementation.cache_tag
RECORD = f"shared/runtime/cold_start.{TAG}.bin"
BYTE_CODE = f"__pycache__/index.{TAG}.pyc"
TEMPLATE = """\
Resources:
  Greet:
    Type: HC::Serverless::Function
    Properties:
      FunctionName: {}
      CodeUri: functions/greet
      Handler: index.handler
      Runtime: Python3.10
"""
Verify = Callable[..., tuple[int, dict[str, object], str]]


@pytest.fixture
def function(application: Callable[..., Function], monkeypatch: pytest.MonkeyPatch) -> Function:
    """A function whose package has a record. The folder of its template is the current one."""
    reader = (CHECKOUT / RECORD_READER).read_text(encoding="utf-8")
    entry = "import greeting, shared.words\n\ndef handler(event, context): ...\n"
    sources = {"shared/runtime/__init__.py": "", RECORD_READER: reader, "functions/greet/index.py": entry}
    function = application(LICENSE="Mine.\n", **{"shared/words.py": "WORD = 1\n"}, **sources)
    (function.code_root / "template.yaml").write_text(TEMPLATE.format("greet"), encoding="utf-8")
    monkeypatch.chdir(function.code_root)
    return function


@pytest.fixture(scope="module", name="built")
def built_once() -> Files:
    """The files of the package of that function, once it is built: they do not depend on its folder."""
    return {}


@pytest.fixture
def files(function: Function, built: Files, tmp_path: Path) -> Files:
    """The files of the package of that function."""
    if not built:
        with zipfile.ZipFile(build(function, tmp_path).path) as archive:
            built |= {name: archive.read(name) for name in archive.namelist()}
    return dict(built)


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    """Write a zip, and return the exit status of the command, its JSON and its other output."""

    def run(files: Files, *arguments: str) -> tuple[int, dict[str, object], str]:
        path = tmp_path / "downloaded.zip"
        path.write_bytes(zipped(files))
        result = CliRunner().invoke(main, ["package", "--verify", str(path), "--json", *arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, json.loads(result.stdout) if result.stdout else {}, result.stderr

    return run


def differences(document: dict[str, object]) -> dict[str, tuple[str, str]]:
    """The change and the key of the meaning of each file."""
    meanings = {text: key for key, text in MEANINGS.items()}
    found = document["differences"]
    assert isinstance(found, list)
    return {one["path"]: (one["change"], meanings[one["meaning"]]) for one in found}


def test_a_package_of_this_checkout_is_identical(files: Files, verify: Verify, tmp_path: Path) -> None:
    """The exit status is 0, and there is one line. The compression of the zip and its folders do not matter."""
    status, document, _ = verify(files)
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("shared/", "")
        for name, content in sorted(files.items(), reverse=True):
            archive.writestr(name, content, zipfile.ZIP_STORED)
    result = CliRunner().invoke(main, ["package", "--verify", str(path)])

    assert (status, document["identical"], document["differences"], document["notes"]) == (0, True, [], [])
    assert (document["function"], document["python"], document["requirements"]) == ("greet", PYTHON, "full")
    assert document["digest"] == document["expected_digest"]
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    assert f"{path} has the {len(files)} files of the package of greet for Python {PYTHON}" in result.stdout
    assert not Path("build").exists()


EVIL = b"import os\n"
OTHER_RECORD = "shared/runtime/cold_start.cpython-399.bin"
TAMPERED: list[tuple[dict[str, bytes | None], dict[str, tuple[str, str]]]] = [
    ({RECORD: b"another"}, {RECORD: ("changed", "record alone")}),
    (
        {RECORD: b"another", "shared/words.py": EVIL},
        {RECORD: ("changed", "record of other sources"), "shared/words.py": ("changed", "other source")},
    ),
    ({BYTE_CODE: b"another"}, {BYTE_CODE: ("changed", "byte-code alone")}),
    (
        {BYTE_CODE: b"another", "index.py": EVIL},
        {BYTE_CODE: ("changed", "byte-code of another source"), "index.py": ("changed", "other source")},
    ),
    (
        {
            "shared/words.py": EVIL,
            "greeting/__init__.py": EVIL,
            "licences/LICENSE": b"Yours.\n",
            "sitecustomize.py": EVIL,
            OTHER_RECORD: b"",
            "words.txt": b"",
        },
        {
            "shared/words.py": ("changed", "edited source"),
            "greeting/__init__.py": ("changed", "other module"),
            "licences/LICENSE": ("changed", "other file"),
            "sitecustomize.py": ("added", "added code"),
            OTHER_RECORD: ("added", "added record"),
            "words.txt": ("added", "added file"),
        },
    ),
    (
        {RECORD: None, BYTE_CODE: None, "shared/words.py": None},
        {
            RECORD: ("missing", "missing record"),
            BYTE_CODE: ("missing", "missing byte-code"),
            "shared/words.py": ("missing", "missing file"),
        },
    ),
]


@pytest.mark.skipif(not LINUX, reason="other systems make no record")
def test_each_difference_is_explained(files: Files, verify: Verify) -> None:
    """The exit status is 1. Only what differs is listed, with its meaning for the function."""
    for edits, expected in TAMPERED:
        edited = {name: content for name, content in (files | edits).items() if content is not None}
        status, document, _ = verify(edited)

        assert (status, document["identical"], differences(document)) == (1, False, expected)
        assert document["digest"] != document["expected_digest"]


def test_a_source_of_the_checkout_that_changed_is_a_difference(files: Files, verify: Verify) -> None:
    """What changed is the source with all that is made of it. The table names the origin and the meaning."""
    Path("shared/words.py").write_text("WORD = 2\n", encoding="utf-8")
    status, document, _ = verify(files)

    assert status == 1
    assert differences(document)["shared/words.py"] == ("changed", "other source")
    assert differences(document).keys() == {
        "shared/words.py",
        *({RECORD} if LINUX else {f"shared/__pycache__/words.{TAG}.pyc"}),
    }


def test_the_cache_of_packages_is_not_believed(
    files: Files, function: Function, verify: Verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can change the zip may be able to change the cache as well."""
    monkeypatch.setattr("cli.package.cache.Packages.read", lambda *_: pytest.fail("the cache was read"))

    assert verify(files)[0] == 0


def test_the_table(files: Files, tmp_path: Path) -> None:
    """A row for each file, and a total. Control characters in names are escaped."""
    path = tmp_path / "downloaded.zip"
    path.write_bytes(zipped(files | {"\x1b[2J.py": EVIL, "[bold].txt": b""}))
    result = CliRunner().invoke(main, ["package", "--verify", str(path)], env={"COLUMNS": "200"})

    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
    assert "\\x1b[2J.py  added" in result.stdout
    assert "[bold].txt" in result.stdout
    assert "that this checkout makes: 2 added." in result.stdout


def test_a_name_that_is_in_the_zip_twice(files: Files, tmp_path: Path) -> None:
    """Which of the two is unpacked depends on the program, so it is a difference, even if they are the same."""
    path = tmp_path / "twice.zip"
    path.write_bytes(zipped(files))
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("index.py", files["index.py"])
    result = CliRunner().invoke(main, ["package", "--verify", str(path), "--json"])

    assert (result.exit_code, differences(json.loads(result.stdout))) == (1, {"index.py": ("repeated", "repeated")})


def test_a_link_and_a_damaged_file_are_differences(files: Files, tmp_path: Path) -> None:
    """A link is not the file that it has as its target. A wrong checksum is no exception."""
    path = tmp_path / "linked.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK if name == "index.py" else stat.S_IFREG) << 16
            archive.writestr(info, content)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"WORD = 1\n", b"WORD = 3\n"))
    result = CliRunner().invoke(main, ["package", "--verify", str(path), "--json"])

    assert differences(json.loads(result.stdout)).keys() == {"index.py", "shared/words.py"}


def test_another_release_of_python_is_a_note(files: Files, verify: Verify) -> None:
    """Its byte code can differ although nothing else does, so that nothing is claimed of it."""
    bill = json.loads(files[BILL])
    for fact in bill["metadata"]["component"]["properties"]:
        if fact["name"] == "ddsbackup:byte-code":
            fact["value"] = f"CPython {PYTHON}.99"
    _, document, _ = verify(files | {BILL: json.dumps(bill).encode(), BYTE_CODE: b"another"})

    assert differences(document) == {BYTE_CODE: ("changed", "other Python"), BILL: ("changed", "other bill")}
    assert f"CPython {PYTHON}.99" in str(document["notes"])


FOREIGN: dict[str, dict[str, bytes]] = {
    "no bill": {"index.py": b""},
    "no JSON": {BILL: b"{"},
    "a list": {BILL: b"[]"},
    "deep": {BILL: b"[" * 100_000},
    "another tool's": {BILL: b'{"metadata": {"component": {"name": "greet", "properties": []}}}'},
    "an odd Python": {
        BILL: json.dumps(
            {
                "metadata": {
                    "component": {
                        "name": "greet",
                        "properties": [
                            {"name": "ddsbackup:python", "value": "../../bin/3.10"},
                            {"name": "ddsbackup:requirements", "value": "slim"},
                        ],
                    }
                }
            }
        ).encode()
    },
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_zip_is_a_wrong_call(function: Function, verify: Verify, kind: str) -> None:
    """The exit status is 2, and the message says what is missing."""
    status, document, said = verify(FOREIGN[kind])

    assert (status, document) == (2, {})
    assert "is not a package that this version of `ddsbackup package` made" in said
    assert BILL in said


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06"])
def test_a_file_that_is_no_zip_is_a_wrong_call(function: Function, tmp_path: Path, content: bytes) -> None:
    """It may be a download that was cut off."""
    path = tmp_path / "cut.zip"
    path.write_bytes(content)
    result = CliRunner().invoke(main, ["package", "--verify", str(path)])
    gone = CliRunner().invoke(main, ["package", "--verify", str(tmp_path / "gone.zip")])

    assert (result.exit_code, gone.exit_code) == (2, 2)
    assert "is not a zip that can be read" in result.stderr
    assert "No such file" in gone.stderr


def test_a_package_of_a_function_that_the_template_lacks(files: Files, verify: Verify) -> None:
    """The message names the function of the zip and those of the template, not the name of the file."""
    Path("template.yaml").write_text(TEMPLATE.format("wave"), encoding="utf-8")
    status, _, said = verify(files)

    assert status == 2
    assert "is a package of the function 'greet'" in said
    assert "template.yaml has wave" in said


@pytest.mark.parametrize("argument", ["greet", "--full", "--without-byte-code", "--python=3.12"])
def test_the_zip_says_what_to_make(function: Function, verify: Verify, argument: str) -> None:
    """Options that the zip answers are refused."""
    status, _, said = verify({}, argument)

    assert (status, "from the zip" in said) == (2, True)
