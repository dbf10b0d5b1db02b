"""The application's own files in a package, and the files of wheels."""

import zipfile
from pathlib import Path

import pytest

from cli.package.contents import merged, own_files
from cli.package.model import PackagingFailed
from cli.package.wheels import Wheel, wheel_files
from tests.package.conftest import a_function


OURS = ["functions/greet/index.py", "functions/greet/data/words.json", "shared/__init__.py", "shared/deep/er/words.py"]
JUNK = [
    "functions/greet/.DS_Store",
    "functions/greet/index.py~",
    "functions/greet/__pycache__/index.cpython-310.pyc",
    "functions/other/index.py",
    "shared/py.typed",
    "shared/.#words.py",
    "shared/#words.py#",
    "shared/.words.py.swp",
    "shared/words.py.orig",
    "shared/.idea/workspace.xml",
    "shared/deep/__pycache__/er.cpython-312.pyc",
    "shared/old.pyc",
    "tests/test_words.py",
    "template.yaml",
]


def test_junk_is_left_out(tmp_path: Path) -> None:
    """Files of tools and editors, and files of other functions, are not packed."""
    for name in OURS + JUNK:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)

    files = own_files(a_function(tmp_path, tmp_path / "functions" / "greet"))

    assert {name: content.decode() for name, content in files.items()} == {
        name.removeprefix("functions/greet/"): name for name in OURS
    }


def test_our_own_licence_is_packed(tmp_path: Path) -> None:
    """LICENSE and NOTICE are packed if they exist."""
    (tmp_path / "code").mkdir()
    function = a_function(tmp_path, tmp_path / "code")
    assert not own_files(function)

    (tmp_path / "LICENSE").write_bytes(b"one\r\ntwo\n")
    (tmp_path / "NOTICE").write_bytes(b"three\n")

    assert own_files(function) == {"licences/LICENSE": b"one\ntwo\n", "licences/NOTICE": b"three\n"}


def test_line_endings_are_those_of_the_repository(tmp_path: Path) -> None:
    """A checkout on Windows may have other line endings in modules. Data files do not change."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "index.py").write_bytes(b"a = 1\r\nb = 2\n")
    (tmp_path / "code" / "data.csv").write_bytes(b"a,b\r\n")

    files = own_files(a_function(tmp_path, tmp_path / "code"))

    assert files == {"index.py": b"a = 1\nb = 2\n", "data.csv": b"a,b\r\n"}


def test_a_wheel_is_unpacked_as_by_pip(tmp_path: Path) -> None:
    """Libraries go to the root. Scripts, headers and data are left out."""
    path = tmp_path / "one-1.0-py3-none-any.whl"
    members = [
        "one/__init__.py",
        "one-1.0.data/purelib/pure.py",
        "one-1.0.data/platlib/plat/x.so",
        "one-1.0.data/scripts/run",
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("one") if hasattr(archive, "mkdir") else archive.writestr("one/", "")
        for member in members:
            archive.writestr(member, member)

    files = wheel_files(Wheel("one", "1.0", path, ""))

    assert files.keys() == {"one/__init__.py", "pure.py", "plat/x.so"}


def test_no_file_overwrites_another() -> None:
    """The same file twice is packed once. Two different files at the same path are an error."""
    assert merged([("one", {"a": b"1"}), ("two", {"a": b"1", "b": b"2"})]) == {"a": b"1", "b": b"2"}
    with pytest.raises(PackagingFailed, match="two has a file a"):
        merged([("one", {"a": b"1"}), ("two", {"a": b"2"})])


def test_links_are_followed(tmp_path: Path) -> None:
    """Links to files and folders anywhere are followed. Dangling and circular links are errors."""
    code, library = tmp_path / "code", tmp_path / "library"
    code.mkdir()
    library.mkdir()
    (library / "words.py").write_text("WORD = 1\n")
    (code / "library").symlink_to(library)
    (code / "more.py").symlink_to(library / "words.py")
    (code / ".#index.py").symlink_to("somebody@somewhere")
    function = a_function(tmp_path, code)
    assert own_files(function) == {"library/words.py": b"WORD = 1\n", "more.py": b"WORD = 1\n"}

    (library / "again").symlink_to(code)
    with pytest.raises(PackagingFailed, match=r"library/again is a link to a folder that contains it"):
        own_files(function)

    (library / "again").unlink()
    (library / "gone.txt").symlink_to("nowhere.txt")
    with pytest.raises(PackagingFailed, match=r"gone\.txt is a link to nowhere\.txt, which does not exist"):
        own_files(function)


def test_packages_and_state_are_not_packed(tmp_path: Path) -> None:
    """A function in the folder of the template has them in its folder."""
    (tmp_path / "index.py").write_text("")
    (tmp_path / "terraform.tfstate").write_text("secrets")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "greet.zip").write_text("the package before")

    assert own_files(a_function(tmp_path, tmp_path), tmp_path / "build") == {"index.py": b""}


BOOTSTRAP = """\
from typing import TYPE_CHECKING

import shared.common

if TYPE_CHECKING:
    from shared.part.function import Settings

def greet():
    from shared.greeting.function import run

def part():
    from shared.part.function import run
    from shared.lent import words
    from shared.lonely import words
"""
SHARED = {
    "bootstrap.py": BOOTSTRAP,
    "common.py": "",
    "unused.py": "",
    "greeting/__init__.py": "",
    "greeting/function.py": "import shared.lent",
    "part/__init__.py": "",
    "part/function.py": "import shared.common, shared.tools",
    "part/data.json": "{}",
    "lent.py": "",
    "lonely.py": "",
    "tools.py": "import shared.deep_tools",
    "deep_tools.py": "",
}


def shared_of(root: Path, name: str, files: dict[str, str]) -> set[str]:
    """The files of shared in the package of a function; greet and part are the functions."""
    for place in ("functions/greet/index.py", "functions/part/index.py", *(f"shared/{one}" for one in files)):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(files.get(place.removeprefix("shared/"), ""))
    found = own_files(a_function(root, root / "functions" / name))
    return {one.removeprefix("shared/") for one in found if one.startswith("shared/")}


def test_what_only_another_function_imports_is_left_out(tmp_path: Path) -> None:
    """The bootstrap says which part belongs to which function. What nobody imports stays."""
    theirs = {"part/__init__.py", "part/function.py", "part/data.json", "lonely.py", "tools.py", "deep_tools.py"}

    assert shared_of(tmp_path, "greet", SHARED) == SHARED.keys() - theirs
    assert shared_of(tmp_path, "part", SHARED) == SHARED.keys() - {"greeting/__init__.py", "greeting/function.py"}


def test_what_a_module_that_stays_imports_stays(tmp_path: Path) -> None:
    """A part of another function that common code needs is packed with its folder's __init__."""
    files = SHARED | {"common.py": "from shared.part import function"}

    found = shared_of(tmp_path, "greet", files)

    assert {"part/__init__.py", "part/function.py", "tools.py", "deep_tools.py"} <= found
    assert "lonely.py" not in found


@pytest.mark.parametrize("bootstrap", ["", "def other(): ...\n", "def greet(:\n"])
def test_without_a_part_of_its_own_a_function_gets_all(tmp_path: Path, bootstrap: str) -> None:
    """A function that the bootstrap does not know may import anything."""
    files = SHARED | {"bootstrap.py": bootstrap}

    assert shared_of(tmp_path, "greet", files) == files.keys()
