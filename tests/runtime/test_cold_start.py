"""Cold start: what is recorded when a package is built behaves like what is compiled at import."""

import gc
import hashlib
import importlib.util
import json
import marshal
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.runtime import cold_start
from shared.runtime.logs import start_logging


ROOT = Path(__file__).parent.parent.parent

ENTRY = """
from shared.runtime import cold_start

with cold_start.importing():
    from parts import PATTERNS, Point
"""

PARTS = r"""
import dataclasses, re, typing
from typing import Optional

class Holder:
    moment: "typing.List[int]"

@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    y: "Optional[int]" = None

typing.get_type_hints(Holder)
PATTERNS = [re.compile(r"(?P<a>[a-f]+)(\d*)", re.IGNORECASE), re.compile(b"x{2,}")]
"""

RECORD = """
import sys
from pathlib import Path
sys.path.append(sys.argv[1])
from cli.package.record import record
record(Path(sys.argv[2]))
"""

PROBE = """
import importlib.util, json, sys
sys.path.insert(0, sys.argv[1])
compiled = []
sys.addaudithook(lambda event, args: event == "compile" and compiled.append(str(args[0])))
spec = importlib.util.spec_from_file_location("index", sys.argv[1] + "/index.py")
index = importlib.util.module_from_spec(spec)
spec.loader.exec_module(index)
import dataclasses, re, typing
first, second = index.PATTERNS
print(json.dumps({
    "matches": [first.fullmatch("ABC12").groupdict(), first.groups, bool(second.search(b"axxb"))],
    "flags": [first.flags, second.flags],
    "point": [repr(index.Point(1)), index.Point(1, 2) == index.Point(1, 2)],
    "restored": "exec" not in vars(dataclasses) and "compile" not in vars(typing),
    "compiled": sum("__create_fn__" in text or "List[int]" in text for text in compiled),
}))
"""


def run(*arguments: str) -> str:
    """Return the output of a new Python that does not see this project."""
    done = subprocess.run([sys.executable, "-I", "-S", *arguments], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.fixture(name="package")
def unpacked_package(tmp_path: Path) -> Path:
    """A folder with an entry file and `cold_start`, as in a package."""
    runtime = tmp_path / "shared" / "runtime"
    runtime.mkdir(parents=True)
    for folder in (runtime, runtime.parent):
        folder.joinpath("__init__.py").touch()
    runtime.joinpath("cold_start.py").write_bytes(Path(cold_start.__file__).read_bytes())
    tmp_path.joinpath("index.py").write_text(ENTRY)
    tmp_path.joinpath("parts.py").write_text(PARTS)
    return tmp_path


def test_what_is_recorded_behaves_as_what_is_compiled(package: Path) -> None:
    """Patterns, dataclasses and annotations are the same, and none is compiled again."""
    before = json.loads(run("-c", PROBE, str(package)))
    run("-c", RECORD, str(ROOT), str(package))
    after = json.loads(run("-c", PROBE, str(package)))

    assert after["compiled"] == 0 < before["compiled"]
    assert {**after, "compiled": 0} == {**before, "compiled": 0}
    assert after["restored"]


def test_what_is_not_recorded_is_compiled(package: Path) -> None:
    """The record is older than the module."""
    run("-c", RECORD, str(ROOT), str(package))
    parts = package / "parts.py"
    parts.write_text(PARTS.replace("[a-f]+", "[a-z]+").replace("x: int", "x: int = 1\n    z: int = 2"))

    assert json.loads(run("-c", PROBE, str(package)))["matches"][0] == {"a": "ABC"}


SOURCES = """
import importlib.util, inspect, json, sys
sys.path.insert(0, sys.argv[1])
spec = importlib.util.spec_from_file_location("index", sys.argv[1] + "/index.py")
index = importlib.util.module_from_spec(spec)
opened = []
sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))
spec.loader.exec_module(index)
read = [name for name in opened if "parts" in name]
import parts
from importlib import reload
print(json.dumps({
    "read": read,
    "file": parts.__file__.removeprefix(sys.argv[1]),
    "cached": parts.__cached__.removeprefix(sys.argv[1]),
    "source": inspect.getsource(parts.Point),
    "again": reload(parts).Point(3).x,
    "finders": [type(finder).__module__ for finder in sys.meta_path],
}))
"""


def test_a_recorded_module_is_that_of_its_file(package: Path) -> None:
    """It is neither searched for nor read, has its file and source, and can be reloaded; no finder is left behind."""
    run("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(package))
    before = json.loads(run("-c", SOURCES, str(package)))
    run("-c", RECORD, str(ROOT), str(package))
    after = json.loads(run("-c", SOURCES, str(package)))

    assert before["read"]
    assert after["read"] == []
    assert {**before, "read": []} == after


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "one byte": lambda content: content[:1],
    "header only": lambda content: content[:36],
    "half": lambda content: content[: len(content) // 2],
    "one byte short": lambda content: content[:-1],
    "one byte more": lambda content: content + b"0",
    "text": lambda content: b"not marshalled",
    "zeros": lambda content: bytes(len(content)),
    "other marshal": lambda content: marshal.dumps({"a": 1}),
    "other marshal with a header": lambda content: sealed(marshal.dumps(1)),
    "other shape with a header": lambda content: sealed(marshal.dumps((1, 2, 3))),
    "other Python": lambda content: b"\x01\x02\r\n" + content[4:],
}


def sealed(content: bytes) -> bytes:
    return importlib.util.MAGIC_NUMBER + hashlib.sha256(content).digest() + content


def start(package: Path) -> tuple[dict[str, Any], str]:
    """Return the answers of the package and what it logged without a log of its own."""
    command = [sys.executable, "-I", "-S", "-B", "-c", PROBE, str(package)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return {**json.loads(done.stdout), "compiled": 0}, done.stderr


@pytest.fixture(name="record")
def recorded_package(package: Path) -> Path:
    """The record in the package."""
    run("-c", RECORD, str(ROOT), str(package))
    return package / "shared" / "runtime" / cold_start.recorded_file().name


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_function_starts_without_an_unusable_record(package: Path, record: Path, damage: str) -> None:
    """It behaves the same, and writes one line that says why."""
    expected, silence = start(package)
    record.write_bytes(DAMAGES[damage](record.read_bytes()))
    found, log = start(package)

    assert (found, silence) == (expected, "")
    assert len(log.splitlines()) == 1
    assert log.startswith(f"{record.name} is not used, so the cold start takes longer: ")


def test_a_deleted_record_is_not_worth_a_line(package: Path, record: Path) -> None:
    """A package may have none."""
    expected, _ = start(package)
    record.unlink()

    assert start(package) == (expected, "")


def test_no_flipped_bit_and_no_cut_is_unmarshalled(record: Path) -> None:
    """Marshal may crash the interpreter on wrong data, so it never sees any."""
    content, chance = record.read_bytes(), random.Random(9)
    for _ in range(200):
        place = chance.randrange(len(content) * 8)
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        for damaged in (bytes(flipped), content[: chance.randrange(len(content))]):
            with pytest.raises(cold_start.UnusableRecordError):
                cold_start.Record.parse(damaged)
    cold_start.Record.parse(content)


def test_the_line_is_one_json_object_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The function sets up its log while it is imported, and the line comes after that."""
    damaged = tmp_path / "cold_start.bin"
    damaged.write_bytes(b"text")
    monkeypatch.setattr(cold_start, "recorded_file", lambda: damaged)
    with cold_start.importing():
        start_logging()
    gc.unfreeze()

    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["logger"]) == ("WARNING", "shared.runtime.cold_start")
    assert "it is damaged" in line["message"]


def test_a_record_is_for_one_version_of_python(package: Path) -> None:
    """The record of another version is ignored, as with .pyc files."""
    other = package / "shared" / "runtime" / "cold_start.cpython-27.bin"
    other.write_bytes(b"not marshalled")

    assert json.loads(run("-c", PROBE, str(package)))["restored"]
    assert cold_start.recorded_file("cpython-310").name == "cold_start.cpython-310.bin"


def test_a_failed_import_leaves_the_garbage_collector_on() -> None:
    """It is off while modules are imported."""
    with pytest.raises(ImportError), cold_start.importing():
        import no_such_module  # type: ignore[import-not-found]  # noqa: F401
    gc.unfreeze()

    assert gc.isenabled()


def test_each_function_is_imported_within_cold_start() -> None:
    """Its index.py imports bootstrap in `cold_start.importing`."""
    for entry in sorted((ROOT / "functions").glob("*/index.py")):
        assert "\nwith cold_start.importing():\n    from shared.bootstrap import" in entry.read_text(), entry
