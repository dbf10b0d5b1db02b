"""Byte code that is the same wherever it is made, and never stale."""

import marshal
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.package.bytecode import Compiler, Interpreter, find_interpreter, unpacked
from cli.package.model import PackagingFailed
from tests.package.conftest import PYTHON, Noted


TAG = sys.implementation.cache_tag
TRICKY = b'''\
"""Whose byte code comes out different, if nobody takes care."""
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
    """One of the version that runs the tests."""
    return find_interpreter(PYTHON)


def test_the_same_source_gives_the_same_bytes_in_any_process() -> None:
    """Whatever was imported, interned or referred to before; with any random addresses."""
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


def test_what_is_compiled_does_what_its_source_says(interpreter: Interpreter) -> None:
    """Also where sets were written otherwise."""
    (content,) = Compiler(interpreter, Noted()).byte_code({"tricky.py": TRICKY}, {}).values()
    names: dict[str, object] = {}
    exec(marshal.loads(content[16:]), names)
    of = names["of"]

    assert callable(of)
    assert [of(x)[0] for x in (None, "deg", "typed-dict", "other")] == [True, True, False, True]
    assert of.__doc__ is None
    assert names["__doc__"] == "Whose byte code comes out different, if nobody takes care."


def test_byte_code_is_never_held_against_its_source(interpreter: Interpreter) -> None:
    """A zip changes the times of files: byte code that is compared is compiled anew on each cold start."""
    files = {"one.py": b"WORD = 'compiled'\n"}
    made = Compiler(interpreter, Noted()).byte_code(files, files)

    assert list(made) == [f"__pycache__/one.{TAG}.pyc"]
    with unpacked(made | {"one.py": b"WORD = 'the source'\n"}) as root:
        os.utime(root / "one.py", (1, 1))
        script = f"import sys; sys.path.insert(0, {str(root)!r}); import one; print(one.WORD, one.__file__)"
        done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["compiled", str(root / "one.py")]


def test_what_was_compiled_is_not_compiled_again(interpreter: Interpreter) -> None:
    """Four functions have all but one module in common."""
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
    """With the place and the reason; a module of a library that does not is left without byte code."""
    files = {
        "shared/wrong.py": b"def f(:\n",
        "library/template.py": b"class {{ name }}:\n",
        "library/latin.py": b"'\xe9'\n",
    }

    assert not Compiler(interpreter, Noted()).byte_code(files, {})
    with pytest.raises(PackagingFailed, match=r"shared/wrong.py: .*line 1"):
        Compiler(interpreter, Noted()).byte_code(files, {"shared/wrong.py": b""})


def test_an_interpreter_is_found_by_running_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shim of pyenv has the name of a version and runs none."""
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


def test_without_an_interpreter_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install one, or pay on each cold start."""
    for name in ("PATH", "PYENV_ROOT"):
        monkeypatch.setenv(name, str(tmp_path))

    with pytest.raises(PackagingFailed, match=r"there is no Python 3\.99") as caught:
        find_interpreter("3.99")

    assert "--without-byte-code" in caught.value.message
    assert "uv python install 3.99" in caught.value.message
