"""Requirements for a Python that need not be the running one, and their wheels."""

from pathlib import Path

import pytest

from cli.package.model import PackagingFailed
from cli.package.wheels import Pinned, Wheel, get_wheels, read_requirements
from cli.paths import CHECKOUT
from tests.package.conftest import Noted, make_wheel


HASH = "a" * 64


def read(tmp_path: Path, text: str, python: str = "3.10") -> tuple[Pinned, ...]:
    file = tmp_path / "requirements.txt"
    file.write_text(text, encoding="utf-8")
    return read_requirements(file, python)


def test_comments_and_continuation_lines(tmp_path: Path) -> None:
    """The format is that of pip and uv."""
    text = f"# what is deployed\nOne.Name==1.0 \\\n    --hash=sha256:{HASH} \\\n    --hash=sha256:{'b' * 64}\n  # end\n"

    assert read(tmp_path, text) == (Pinned("one-name", "1.0", frozenset({HASH, "b" * 64})),)


@pytest.mark.parametrize("python", ["3.10", "3.12"])
def test_markers_are_evaluated_for_the_target(tmp_path: Path, python: str) -> None:
    """The Python and the machine that build the package do not matter."""
    markers = {
        "old": "python_full_version < '3.11'",
        "new": "python_version >= '3.11'",
        "windows": "sys_platform == 'win32' or os_name == 'nt'",
        "linux": "platform_system == 'Linux' and platform_machine == 'x86_64'",
        "pypy": "implementation_name == 'pypy'",
        "extra": "extra == 'socks'",
    }
    text = "".join(f"{name}==1 ; {marker} --hash=sha256:{HASH}\n" for name, marker in markers.items())

    names = {one.name for one in read(tmp_path, text, python)}

    assert names == {"linux", "old" if python == "3.10" else "new"}


def test_our_requirements_have_one_version_each() -> None:
    """dnspython is in requirements.txt twice, for older and newer versions of Python."""
    for python in ("3.10", "3.12"):
        names = [one.name for one in read_requirements(CHECKOUT / "requirements.txt", python)]
        assert len(names) == len(set(names))
        assert {"huaweicloudsdkcore", "huaweicloudsdkdds", "huaweicloudsdksmn", "pydantic", "dnspython"} < set(names)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (f"one>=1 --hash=sha256:{HASH}", "not pinned"),
        (f"one==1.* --hash=sha256:{HASH}", "not pinned"),
        (f"one==1,!=2 --hash=sha256:{HASH}", "not pinned"),
        ("one==1", "no --hash"),
        ("one==1 --hash=md5:1234", "line 2"),
        ("-r other.txt", "found the option -r"),
        ("what is this", "line 2"),
    ],
)
def test_a_requirement_must_be_pinned_and_hashed(tmp_path: Path, line: str, problem: str) -> None:
    """The error has the line."""
    with pytest.raises(PackagingFailed, match=problem) as caught:
        read(tmp_path, f"\n{line}\n")

    assert "line 2" in caught.value.message


def test_an_application_without_requirements(tmp_path: Path) -> None:
    """There is no requirements.txt then."""
    assert read_requirements(tmp_path / "requirements.txt", "3.10") == ()


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_requirements_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    """The error names a file that is a folder or not UTF-8."""
    file = tmp_path / "requirements.txt"
    file.mkdir() if content is None else file.write_bytes(content)

    with pytest.raises(PackagingFailed, match=r"requirements\.txt"):
        read_requirements(file, "3.10")


def test_versions_are_normalized_as_in_wheels(tmp_path: Path) -> None:
    """The versions of certifi are dates with leading zeros, which the names of its wheels lack."""
    assert read(tmp_path, f"one==2024.07.04 --hash=sha256:{HASH}")[0].version == "2024.7.4"


FILES = {"greeting/__init__.py": "WORD = 'hello'\n"}


@pytest.fixture
def pinned(tmp_path: Path, index: Path) -> tuple[Pinned, ...]:
    """One requirement, whose wheel is in the index."""
    file = tmp_path / "requirements.txt"
    file.write_text(make_wheel(index, FILES), encoding="utf-8")
    return read_requirements(file, "3.10")


def get(pinned: tuple[Pinned, ...], tmp_path: Path, observer: Noted | None = None) -> tuple[Wheel, ...]:
    return get_wheels(pinned, "3.10", tmp_path / "cache", observer or Noted())


def test_a_wheel_is_downloaded_with_progress(pinned: tuple[Pinned, ...], tmp_path: Path) -> None:
    """The step has a part for each requirement."""
    observer = Noted()

    (wheel,) = get(pinned, tmp_path, observer)

    assert (wheel.name, wheel.version) == ("greeting", "1.0")
    assert {wheel.sha256} == set(pinned[0].hashes)
    assert observer.steps == ["Downloading 1 wheels for Python 3.10"]
    assert observer.parts == 1


def test_a_cached_wheel_needs_no_index(pinned: tuple[Pinned, ...], tmp_path: Path, index: Path) -> None:
    """The second time, pip does not run."""
    first = get(pinned, tmp_path)
    for wheel in index.iterdir():
        wheel.unlink()
    observer = Noted()

    assert get(pinned, tmp_path, observer) == first
    assert not observer.steps


def test_a_changed_wheel_in_the_cache_is_downloaded_again(pinned: tuple[Pinned, ...], tmp_path: Path) -> None:
    """The hash is checked on each use."""
    (wheel,) = get(pinned, tmp_path)
    wheel.path.write_bytes(b"something else")

    (again,) = get(pinned, tmp_path)

    assert again == wheel
    assert again.path.read_bytes() != b"something else"


def test_invalid_files_in_the_cache_are_ignored(pinned: tuple[Pinned, ...], tmp_path: Path) -> None:
    """A truncated wheel is downloaded again, and a file that is not a wheel does not matter."""
    (wheel,) = get(pinned, tmp_path)
    wheel.path.write_bytes(wheel.path.read_bytes()[:100])
    (wheel.path.parent / "nonsense.whl").touch()

    assert get(pinned, tmp_path) == (wheel,)


def test_a_wheel_with_another_hash_is_refused(pinned: tuple[Pinned, ...], tmp_path: Path, index: Path) -> None:
    """It does not enter the cache."""
    make_wheel(index, {"greeting/__init__.py": "WORD = 'evil'\n"})

    with pytest.raises(PackagingFailed, match=r"(?i)hash"):
        get(pinned, tmp_path)

    assert not list((tmp_path / "cache").rglob("*.whl"))


@pytest.mark.parametrize(
    "tag", ["cp310-cp310-win_amd64", "cp312-cp312-manylinux2014_x86_64", "cp310-cp310-manylinux_2_34_x86_64"]
)
def test_a_requirement_without_a_wheel_for_the_platform(tmp_path: Path, index: Path, tag: str) -> None:
    """The error has the requirement and the platform."""
    file = tmp_path / "requirements.txt"
    file.write_text(make_wheel(index, FILES, tag=tag), encoding="utf-8")

    with pytest.raises(PackagingFailed, match=r"greeting==1\.0") as caught:
        get(read_requirements(file, "3.10"), tmp_path)

    assert "manylinux2014_x86_64" in caught.value.message
    assert "pip config list" in caught.value.message
