"""Wheels: got once, kept, and never used without their hash."""

from pathlib import Path

import pytest

from cli.package.model import PackagingFailed
from cli.package.wheels import Pinned, Wheel, get_wheels, read_requirements
from tests.package.conftest import Noted, make_wheel


FILES = {"greeting/__init__.py": "WORD = 'hello'\n"}


@pytest.fixture
def pinned(tmp_path: Path, index: Path) -> tuple[Pinned, ...]:
    """One requirement, which the index has."""
    file = tmp_path / "requirements.txt"
    file.write_text(make_wheel(index, FILES), encoding="utf-8")
    return read_requirements(file, "3.10")


def get(pinned: tuple[Pinned, ...], tmp_path: Path, observer: Noted | None = None) -> tuple[Wheel, ...]:
    return get_wheels(pinned, "3.10", tmp_path / "cache", observer or Noted())


def test_a_wheel_is_got_and_its_progress_shown(pinned: tuple[Pinned, ...], tmp_path: Path) -> None:
    """One part a requirement."""
    observer = Noted()

    (wheel,) = get(pinned, tmp_path, observer)

    assert (wheel.name, wheel.version) == ("greeting", "1.0")
    assert {wheel.sha256} == set(pinned[0].hashes)
    assert observer.steps == ["Downloading 1 wheels for Python 3.10"]
    assert observer.parts == 1


def test_the_second_time_needs_no_index(pinned: tuple[Pinned, ...], tmp_path: Path, index: Path) -> None:
    """Nor pip."""
    first = get(pinned, tmp_path)
    for wheel in index.iterdir():
        wheel.unlink()
    observer = Noted()

    assert get(pinned, tmp_path, observer) == first
    assert not observer.steps


def test_a_kept_wheel_that_was_changed_is_got_again(pinned: tuple[Pinned, ...], tmp_path: Path) -> None:
    """The hash is looked at on each use."""
    (wheel,) = get(pinned, tmp_path)
    wheel.path.write_bytes(b"something else")

    (again,) = get(pinned, tmp_path)

    assert again == wheel
    assert again.path.read_bytes() != b"something else"


def test_what_else_lies_in_the_cache_is_no_matter(pinned: tuple[Pinned, ...], tmp_path: Path) -> None:
    """Half a wheel, a file that is none: it is got anew."""
    (wheel,) = get(pinned, tmp_path)
    wheel.path.write_bytes(wheel.path.read_bytes()[:100])
    (wheel.path.parent / "nonsense.whl").touch()

    assert get(pinned, tmp_path) == (wheel,)


def test_a_wheel_of_another_hash_is_refused(pinned: tuple[Pinned, ...], tmp_path: Path, index: Path) -> None:
    """Whatever the index says."""
    make_wheel(index, {"greeting/__init__.py": "WORD = 'evil'\n"})

    with pytest.raises(PackagingFailed, match=r"(?i)hash"):
        get(pinned, tmp_path)

    assert not list((tmp_path / "cache").rglob("*.whl"))


@pytest.mark.parametrize(
    "tag", ["cp310-cp310-win_amd64", "cp312-cp312-manylinux2014_x86_64", "cp310-cp310-manylinux_2_34_x86_64"]
)
def test_what_has_no_wheel_for_the_platform_is_named(tmp_path: Path, index: Path, tag: str) -> None:
    """With what was looked for."""
    file = tmp_path / "requirements.txt"
    file.write_text(make_wheel(index, FILES, tag=tag), encoding="utf-8")

    with pytest.raises(PackagingFailed, match=r"greeting==1\.0") as caught:
        get(read_requirements(file, "3.10"), tmp_path)

    assert "manylinux2014_x86_64" in caught.value.message
    assert "pip config list" in caught.value.message
