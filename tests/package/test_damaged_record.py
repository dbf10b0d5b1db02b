"""A whole function with damaged records: it starts, answers as with the sound record, and says so once."""

import importlib.util
import json
import marshal
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud import LocalCloud
from tests.package.test_bytecode import LINUX
from tests.runtime.test_cold_start import sealed


HERE = Path(__file__).parent
SEED = 9
SAID = "is not used, so the cold start takes longer"
PRINT_LIBRARIES = """
import sys
sys.path.insert(0, sys.argv[1])
import index
files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
print(*(name for name, file in files.items() if file.startswith(sys.argv[1])))
"""


def damaged(content: bytes, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """200 records that do not fit, by name. They are the same on every run."""
    for number in range(60):
        yield f"cut-{number}", content[: chance.randrange(len(content))]
    for number in range(80):
        place = chance.randrange(len(content) * 8)
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        yield f"flipped-{number}-bit-{place}", bytes(flipped)
    for number in range(20):
        begin = chance.randrange(len(content) - 64)
        length = chance.choice([64, 4096, len(content)])
        zeros = bytes(min(length, len(content) - begin))
        yield f"zeros-{number}", content[:begin] + zeros + content[begin + len(zeros) :]
    others: list[Any] = [None, 1, "text", b"", (), (1, 2), (1, 2, 3), {}, [{}, {}], ({}, marshal.dumps({}), {}, {})]
    for number, other in enumerate(others):
        yield f"other-marshal-{number}", marshal.dumps(other)
        yield f"other-marshal-{number}-with-digest", sealed(marshal.dumps(other))
    magic = importlib.util.MAGIC_NUMBER
    for number in range(18):
        other_magic = ((int.from_bytes(magic[:2], "little") + chance.randrange(1, 2**16)) % 2**16).to_bytes(2, "little")
        yield f"other-magic-{number}", other_magic + magic[2:] + content[4:]
    yield "empty", b""
    yield "text", b"not a record"


def started(root: Path, records: Path, connection: Mapping[str, Any], modules: list[str]) -> list[dict[str, Any]]:
    """Start the function with each of the records."""
    command = [sys.executable, "-I", "-S", "-B", str(HERE / "starter.py"), str(root), str(records)]
    command.append(str(HERE.parent / "bench"))
    job = json.dumps({"connection": connection, "modules": modules})
    done = subprocess.run(command, input=job, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.skipif(not LINUX, reason="other systems make no record")
def test_a_function_starts_with_any_damaged_record(unpacked: Path, tmp_path: Path) -> None:
    """It answers as with the sound record, and exactly one line of its log says that the record is not used.

    The libraries are imported once, before the function. A few whole starts import them each time.
    """
    root, records, whole = tmp_path / "code", tmp_path / "records", tmp_path / "whole"
    shutil.copytree(unpacked, root)
    for path in root.rglob("*"):
        path.chmod(path.stat().st_mode | 0o200)
    root.chmod(0o755)
    (sound,) = (content.read_bytes() for content in root.glob("shared/runtime/cold_start.*.bin"))
    find = [sys.executable, "-I", "-S", "-B", "-c", PRINT_LIBRARIES, str(root)]
    names = subprocess.run(find, capture_output=True, text=True, check=True).stdout.split()
    libraries = [name for name in names if name.partition(".")[0] not in {"shared", "index"}]
    # Without the record, byte code keeps the whole starts quick.
    compile_all = ["-m", "compileall", "-q", "-j", "2", "--invalidation-mode", "unchecked-hash", str(root)]
    subprocess.run([sys.executable, *compile_all], check=True)
    records.mkdir()
    whole.mkdir()
    made = dict(damaged(sound, random.Random(SEED)))
    for name, content in {"0-first": sound, "0-sound": sound, **made}.items():
        (records / name).write_bytes(content)
    with LocalCloud() as cloud:
        connection = cloud.connection()
        _, reference, *found = started(root, records, connection, libraries)
        for name in ("cut-0", "flipped-0", "zeros-0", "other-marshal-6-with-digest", "other-magic-0", "empty"):
            (path,) = {*records.glob(name), *records.glob(f"{name}-bit-*")}
            path.replace(whole / path.name)
            found += started(root, whole, connection, [])
            (whole / path.name).unlink()

    assert (reference["status"], reference["report"]["status"]) == (0, "SUCCEEDED")
    assert not [line for line in reference["output"] if SAID in line]
    assert len(found) == 206
    for one in found:
        assert (one["status"], one["report"]) == (0, reference["report"]), one["name"]
        said = [json.loads(line) for line in one["output"] if SAID in line]
        assert [line["level"] for line in said] == ["WARNING"], one["name"]
        assert len(one["output"]) == len(reference["output"]) + 1, one["name"]
