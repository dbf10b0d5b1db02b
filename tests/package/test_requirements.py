"""Which requirements are packed, for a Python that need not be the running one."""

from pathlib import Path

import pytest

from cli.package.model import PackagingFailed
from cli.package.wheels import Pinned, read_requirements
from cli.paths import CHECKOUT


HASH = "a" * 64


def read(tmp_path: Path, text: str, python: str = "3.10") -> tuple[Pinned, ...]:
    file = tmp_path / "requirements.txt"
    file.write_text(text, encoding="utf-8")
    return read_requirements(file, python)


def test_comments_and_lines_that_go_on_are_read(tmp_path: Path) -> None:
    """As pip and uv write them."""
    text = f"# what is deployed\nOne.Name==1.0 \\\n    --hash=sha256:{HASH} \\\n    --hash=sha256:{'b' * 64}\n  # end\n"

    assert read(tmp_path, text) == (Pinned("one-name", "1.0", frozenset({HASH, "b" * 64})),)


@pytest.mark.parametrize("python", ["3.10", "3.12"])
def test_markers_are_about_the_target(tmp_path: Path, python: str) -> None:
    """Not about the Python and the machine that pack."""
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


def test_ours_are_one_of_each() -> None:
    """dnspython is in requirements.txt twice, for older and for newer Pythons."""
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
def test_what_is_not_pinned_and_hashed_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    """It says which line."""
    with pytest.raises(PackagingFailed, match=problem) as caught:
        read(tmp_path, f"\n{line}\n")

    assert "line 2" in caught.value.message


def test_a_function_may_require_nothing(tmp_path: Path) -> None:
    """Then there is no file."""
    assert read_requirements(tmp_path / "requirements.txt", "3.10") == ()


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    """And why: it is a folder, or no text."""
    file = tmp_path / "requirements.txt"
    file.mkdir() if content is None else file.write_bytes(content)

    with pytest.raises(PackagingFailed, match=r"requirements\.txt"):
        read_requirements(file, "3.10")


def test_versions_are_those_of_wheels(tmp_path: Path) -> None:
    """certifi's are dates with zeros, which the names of its wheels have not."""
    assert read(tmp_path, f"one==2024.07.04 --hash=sha256:{HASH}")[0].version == "2024.7.4"
