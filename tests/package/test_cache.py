"""Packages that were built before are used again, and only if nothing that they depend on has changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.package import cache
from cli.package.bytecode import RECORD_READER
from cli.package.cache import Built, Packages
from cli.template.model import Function
from tests.package.conftest import Noted, build


Application = Callable[..., Function]
KEY = "k" * 64
BUILT = Built(b"zip", b"bill", 2, 30, ("a warning",))


def test_a_package_from_the_cache_is_bit_identical_to_a_new_one(
    application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The zip, the bill of materials and the warnings; nothing is compiled."""
    function = application(**{"functions/greet/index.py": "import nowhere\ndef handler(event, context): ...\n"})
    fresh, cached = Noted(), Noted()
    first = build(function, tmp_path, observer=fresh, with_byte_code=False)
    before = (first, first.path.read_bytes(), first.sbom.read_bytes())
    first.path.unlink()
    monkeypatch.setattr("cli.package.build.zipped", None)

    second = build(function, tmp_path, observer=cached, with_byte_code=False, reuse=True)

    assert (second, second.path.read_bytes(), second.sbom.read_bytes()) == before
    assert fresh.warnings
    assert cached.warnings == fresh.warnings


def test_the_cache_repeats_what_the_platform_could_not_do(
    application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another system than Linux on x86_64 cannot record imports, whether the package is new or from the cache."""
    function = application(**{RECORD_READER: "", "shared/runtime/__init__.py": ""})
    monkeypatch.setattr("cli.package.bytecode.sys.platform", "darwin")
    fresh, cached = Noted(), Noted()
    build(function, tmp_path, observer=fresh)

    build(function, tmp_path, observer=cached, reuse=True)

    assert "greet is packed already" in cached.steps
    assert [warning[:24] for warning in fresh.warnings] == ["Only Linux on x86_64 can"]
    assert cached.warnings == fresh.warnings


@pytest.mark.parametrize("file", ["functions/greet/index.py", "shared/__init__.py", "requirements.txt"])
def test_a_changed_source_is_packed_again(application: Application, tmp_path: Path, file: str) -> None:
    """The function, what it shares, and its requirements."""
    function = application()
    noted = Noted()
    build(function, tmp_path, with_byte_code=False)
    changed = function.code_root / file
    changed.write_text(changed.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")

    build(function, tmp_path, observer=noted, with_byte_code=False, reuse=True)

    assert "Zipping greet" in noted.steps


def test_a_changed_packer_has_other_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so has every fact of the build."""
    (tmp_path / "one.py").write_text("1")
    requirements = tmp_path / "requirements.txt"
    monkeypatch.setattr(cache, "PACKER", tmp_path)
    keys = [cache.key_of({"index.py": b""}, requirements, {"python": version}) for version in ("3.10", "3.12")]
    (tmp_path / "one.py").write_text("2")
    keys.append(cache.key_of({"index.py": b""}, requirements, {"python": "3.10"}))
    (tmp_path / "slim.yaml").write_text("rules")
    keys.append(cache.key_of({"index.py": b""}, requirements, {"python": "3.10"}))

    assert len(set(keys)) == 4


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-1], lambda content: content + b"x", lambda _: b"", lambda _: b"{}\n"],
    ids=["truncated", "longer", "empty", "another format"],
)
def test_a_damaged_entry_counts_as_missing(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """It was truncated, or written by something else."""
    packages = Packages(tmp_path)
    packages.write(KEY, BUILT)
    assert packages.read(KEY) == BUILT
    (tmp_path / KEY).write_bytes(damage((tmp_path / KEY).read_bytes()))

    assert packages.read(KEY) is None


def test_the_cache_keeps_the_entries_that_were_used_last(tmp_path: Path) -> None:
    """Its size is bounded, and no draft stays."""
    packages = Packages(tmp_path)
    for number in range(cache.MOST + 5):
        packages.write(f"{number}", BUILT)

    assert len(list(tmp_path.iterdir())) == cache.MOST


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    """The package is built all the same."""
    (tmp_path / "packages").write_text("a file in place of the folder")

    Packages(tmp_path / "packages").write(KEY, BUILT)

    assert Packages(tmp_path / "packages").read(KEY) is None


def test_a_zip_for_another_python_has_its_own_name(application: Application, tmp_path: Path) -> None:
    """It does not overwrite the one for the template's Runtime, which terraform deploys."""
    function = application()
    other = "3.12" if function.runtime == "Python3.10" else "3.10"

    package = build(function, tmp_path, python=other, with_byte_code=False)

    assert package.path == tmp_path / "build" / f"greet-python{other}.zip"
