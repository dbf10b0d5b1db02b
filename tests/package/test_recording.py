"""The package is imported once where it is made."""

import platform
import sys

import pytest

from cli.package.bytecode import RECORD_READER, Compiler, find_interpreter
from cli.package.model import Package, PackagingFailed
from cli.paths import CHECKOUT
from tests.package.conftest import PYTHON, Noted


FILES = {
    "index.py": b"import dataclasses, re\nre.compile('a+b')\ndef handler(event, context): ...\n",
    "shared/__init__.py": b"",
    "shared/runtime/__init__.py": b"",
    RECORD_READER: (CHECKOUT / RECORD_READER).read_bytes(),
}
LINUX = (sys.platform, platform.machine()) == ("linux", "x86_64")


def record(files: dict[str, bytes], observer: Noted | None = None) -> dict[str, bytes]:
    return Compiler(find_interpreter(PYTHON), observer or Noted()).with_record(files)


@pytest.mark.skipif(not LINUX, reason="the wheels are for Linux on x86_64")
def test_what_is_compiled_on_import_is_packed() -> None:
    """Beside the module that reads it, the same each time."""
    made = record(FILES)
    file = f"shared/runtime/cold_start.{sys.implementation.cache_tag}.bin"

    assert made.keys() - FILES.keys() == {file}
    assert b"a+b" in made[file]
    assert record(FILES) == made


@pytest.mark.skipif(not LINUX, reason="the wheels are for Linux on x86_64")
def test_byte_code_is_packed_once() -> None:
    """What is imported is in the record, what is not in a file of its own."""
    files = {**FILES, "index.py": b"import used\n", "used.py": b"WORD = 'recorded'\n", "unused.py": b""}
    compiler = Compiler(find_interpreter(PYTHON), Noted())
    made = compiler.with_record(files | compiler.byte_code(files, files))
    tag = sys.implementation.cache_tag

    assert b"recorded" in made[f"shared/runtime/cold_start.{tag}.bin"]
    assert f"__pycache__/used.{tag}.pyc" not in made
    assert f"__pycache__/unused.{tag}.pyc" in made


@pytest.mark.skipif(not LINUX, reason="the wheels are for Linux on x86_64")
def test_what_cannot_be_imported_is_no_package() -> None:
    """A function that lacks something shows it here, not in the cloud."""
    with pytest.raises(PackagingFailed, match="cannot be imported"):
        record({**FILES, "index.py": b"import what_nobody_brought\n"})


def test_nothing_is_recorded_for_nobody() -> None:
    """An application without the module that reads it."""
    assert record({"index.py": b""}) == {"index.py": b""}


def test_another_platform_is_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    """There the wheels cannot be imported."""
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    observer = Noted()

    assert record(FILES, observer) == FILES
    assert "x86_64" in observer.warnings[0]


def test_ours_has_its_record(package: Package) -> None:
    """Unless it was made elsewhere."""
    import zipfile

    with zipfile.ZipFile(package.path) as archive:
        recorded_files = [name for name in archive.namelist() if name.endswith(".bin")]

    assert len(recorded_files) == LINUX
