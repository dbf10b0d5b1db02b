"""Byte code and the record of imports: reproducible, and never stale."""

import marshal
import os
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cli.package.bytecode import RECORD_READER, Compiler, Interpreter, find_interpreter, unpacked
from cli.package.model import Package, PackagingFailed
from cli.paths import CHECKOUT
from tests.package.conftest import PYTHON, Noted


TAG = sys.implementation.cache_tag
TRICKY = b'''\
"""Byte code that depends on the process, unless care is taken."""
def of(x, encoding="utf-8"):
    brace = "{"
    known = x in {None, "deg"} or x not in {"dataclass-args", "typed-dict", "model-fields", "computed_field"}
    return known, brace, (1, 2, ("a", frozenset)), 10**30, 1.5, b"", ...
class Of:
    """Of."""
    def x(self): return {"update_forward_refs", "construct", "parse_raw"} & {self}
'''
DIRT = "import ast, decimal, json, typing, xml.dom.minidom; sys.intern('construct'); kept = ['{', 'typed-dict']"
COMPILE = """
import sys
{dirt}
sys.path.insert(0, {checkout!r})
from cli.package.compiler import compiled
sys.stdout.buffer.write(compiled(sys.stdin.buffer.read(), "/opt/function/code/tricky.py"))
"""


@pytest.fixture
def interpreter() -> Interpreter:
    """A CPython of the version that runs the tests."""
    return find_interpreter(PYTHON)


def test_the_same_source_gives_the_same_bytes_in_any_process() -> None:
    """It does not matter what was imported, interned or referred to before, or at which addresses."""
    made = set()
    for dirt in ("", "", DIRT):
        script = COMPILE.format(dirt=dirt, checkout=str(Path(__file__).parents[2]))
        environment = os.environ | {"PYTHONHASHSEED": "0"}
        done = subprocess.run(
            [sys.executable, "-c", script], input=TRICKY, capture_output=True, env=environment, check=True
        )
        made.add(done.stdout)

    assert len(made) == 1
    assert marshal.loads(made.pop()[16:]).co_filename == "/opt/function/code/tricky.py"


def test_byte_code_behaves_like_its_source(interpreter: Interpreter) -> None:
    """That includes the sets that are rewritten for Python 3.10."""
    (content,) = Compiler(interpreter, Noted()).byte_code({"tricky.py": TRICKY}, {}).values()
    names: dict[str, object] = {}
    exec(marshal.loads(content[16:]), names)
    of = names["of"]

    assert callable(of)
    assert [of(x)[0] for x in (None, "deg", "typed-dict", "other")] == [True, True, False, True]
    assert of.__doc__ is None
    assert names["__doc__"] == "Byte code that depends on the process, unless care is taken."


@pytest.mark.parametrize(("is_ours", "loaded"), [(False, "compiled"), (True, "edited")])
def test_an_edited_source_wins_only_if_it_is_ours(interpreter: Interpreter, is_ours: bool, loaded: str) -> None:
    """Byte code does not depend on file times, which a zip changes. Sources of requirements are not read at all."""
    files = {"one.py": b"WORD = 'compiled'\n"}
    made = Compiler(interpreter, Noted()).byte_code(files, files if is_ours else {})

    assert list(made) == [f"__pycache__/one.{TAG}.pyc"]
    with unpacked(made | {"one.py": b"WORD = 'edited'\n"}) as root:
        os.utime(root / "one.py", (1, 1))
        script = f"import sys; sys.path.insert(0, {str(root)!r}); import one; print(one.WORD, one.__file__)"
        done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [loaded, str(root / "one.py")]


def test_a_module_is_compiled_once(interpreter: Interpreter) -> None:
    """The functions share all modules but one."""
    observer = Noted()
    compiler = Compiler(interpreter, observer)
    first = compiler.byte_code({"a.py": b"1\n", "index.py": b"1\n"}, {})
    second = compiler.byte_code({"a.py": b"1\n", "index.py": b"2\n", "data.txt": b""}, {})

    assert first.keys() == second.keys() == {f"__pycache__/a.{TAG}.pyc", f"__pycache__/index.{TAG}.pyc"}
    assert first[f"__pycache__/a.{TAG}.pyc"] == second[f"__pycache__/a.{TAG}.pyc"]
    assert first[f"__pycache__/index.{TAG}.pyc"] != second[f"__pycache__/index.{TAG}.pyc"]
    assert [step.split()[1] for step in observer.steps] == ["2", "1"]
    assert observer.parts == 3


def test_our_own_modules_have_to_compile(interpreter: Interpreter) -> None:
    """The error has the place and the reason. A module of a library that does not compile has no byte code."""
    files = {
        "shared/wrong.py": b"def f(:\n",
        "library/template.py": b"class {{ name }}:\n",
        "library/latin.py": b"'\xe9'\n",
    }

    assert not Compiler(interpreter, Noted()).byte_code(files, {})
    with pytest.raises(PackagingFailed, match=r"shared/wrong.py: .*line 1"):
        Compiler(interpreter, Noted()).byte_code(files, {"shared/wrong.py": b""})


def test_a_shim_is_not_an_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shim of pyenv exists even if its version is not active, so candidates are run."""
    shim = tmp_path / "bin" / "python3.99"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.99: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    other = tmp_path / "versions" / "3.99.1" / "bin" / "python3.99"
    other.parent.mkdir(parents=True)
    other.write_text("#!/bin/sh\necho cpython 3 99 1 final\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    assert find_interpreter("3.99") == Interpreter(str(other), "3.99.1")


def test_without_an_interpreter_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error suggests to install one, or to leave out byte code."""
    for name in ("PATH", "PYENV_ROOT"):
        monkeypatch.setenv(name, str(tmp_path))

    with pytest.raises(PackagingFailed, match=r"there is no Python 3\.99") as caught:
        find_interpreter("3.99")

    assert "--without-byte-code" in caught.value.message
    assert "uv python install 3.99" in caught.value.message


RECORDED = {
    "index.py": b"import dataclasses, re\nre.compile('a+b')\ndef handler(event, context): ...\n",
    "shared/__init__.py": b"",
    "shared/runtime/__init__.py": b"",
    RECORD_READER: (CHECKOUT / RECORD_READER).read_bytes(),
}
LINUX = (sys.platform, platform.machine()) == ("linux", "x86_64")


def record(files: dict[str, bytes], observer: Noted | None = None) -> dict[str, bytes]:
    return Compiler(find_interpreter(PYTHON), Noted()).with_record(files, (observer or Noted()).warn)


@pytest.mark.skipif(not LINUX, reason="the wheels are for Linux on x86_64")
def test_the_record_has_what_the_import_compiles() -> None:
    """The record is next to the module that reads it, and is the same each time."""
    made = record(RECORDED)
    file = f"shared/runtime/cold_start.{sys.implementation.cache_tag}.bin"

    assert made.keys() - RECORDED.keys() == {file}
    assert b"a+b" in made[file]
    assert record(RECORDED) == made


@pytest.mark.skipif(not LINUX, reason="the wheels are for Linux on x86_64")
def test_byte_code_is_packed_once() -> None:
    """An imported module has its byte code in the record, any other in a file."""
    files = {**RECORDED, "index.py": b"import used\n", "used.py": b"WORD = 'recorded'\n", "unused.py": b""}
    compiler = Compiler(find_interpreter(PYTHON), Noted())
    made = compiler.with_record(files | compiler.byte_code(files, files), Noted().warn)
    tag = sys.implementation.cache_tag

    assert b"recorded" in made[f"shared/runtime/cold_start.{tag}.bin"]
    assert f"__pycache__/used.{tag}.pyc" not in made
    assert f"__pycache__/unused.{tag}.pyc" in made


@pytest.mark.skipif(not LINUX, reason="the wheels are for Linux on x86_64")
def test_a_package_that_cannot_be_imported_is_an_error() -> None:
    """A missing module is found before deployment."""
    with pytest.raises(PackagingFailed, match="cannot be imported"):
        record({**RECORDED, "index.py": b"import what_nobody_brought\n"})


def test_without_a_reader_there_is_no_record() -> None:
    """An application without shared/runtime/cold_start.py has no record."""
    assert record({"index.py": b""}) == {"index.py": b""}


def test_on_another_platform_there_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheels cannot be imported there, so there is no record."""
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    observer = Noted()

    assert record(RECORDED, observer) == RECORDED
    assert "x86_64" in observer.warnings[0]


def test_our_package_has_a_record(package: Package) -> None:
    """It has one record if it was built on Linux on x86_64."""
    with zipfile.ZipFile(package.path) as archive:
        records = [name for name in archive.namelist() if name.endswith(".bin")]

    assert len(records) == LINUX
