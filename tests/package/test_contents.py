"""What gets into a zip, and what does not."""

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


def test_junk_does_not_get_in(tmp_path: Path) -> None:
    """What tools and editors leave behind, and what is none of this function's."""
    for name in OURS + JUNK:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)

    files = own_files(a_function(tmp_path, tmp_path / "functions" / "greet"))

    assert {name: content.decode() for name, content in files.items()} == {
        name.removeprefix("functions/greet/"): name for name in OURS
    }


def test_our_own_licence_comes_along(tmp_path: Path) -> None:
    """With the notice that it may ask for; an application may have neither."""
    (tmp_path / "code").mkdir()
    function = a_function(tmp_path, tmp_path / "code")
    assert not own_files(function)

    (tmp_path / "LICENSE").write_bytes(b"one\r\ntwo\n")
    (tmp_path / "NOTICE").write_bytes(b"three\n")

    assert own_files(function) == {"licences/LICENSE": b"one\ntwo\n", "licences/NOTICE": b"three\n"}


def test_lines_end_as_in_the_repository(tmp_path: Path) -> None:
    """git may write modules otherwise into a checkout on Windows; data is left alone."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "index.py").write_bytes(b"a = 1\r\nb = 2\n")
    (tmp_path / "code" / "data.csv").write_bytes(b"a,b\r\n")

    files = own_files(a_function(tmp_path, tmp_path / "code"))

    assert files == {"index.py": b"a = 1\nb = 2\n", "data.csv": b"a,b\r\n"}


def test_a_wheel_is_unpacked_as_pip_does(tmp_path: Path) -> None:
    """Libraries to the root; scripts, headers and data stay away."""
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


def test_nothing_is_packed_over_something_else() -> None:
    """The same file twice is one; two of a name are a mistake that would show up only when it runs."""
    assert merged([("one", {"a": b"1"}), ("two", {"a": b"1", "b": b"2"})]) == {"a": b"1", "b": b"2"}
    with pytest.raises(PackagingFailed, match="two has a file a"):
        merged([("one", {"a": b"1"}), ("two", {"a": b"2"})])


def test_links_are_followed(tmp_path: Path) -> None:
    """To files and to folders, also out of the function's folder; one without an end or an aim is named."""
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


def test_the_packages_themselves_and_the_state_are_not_packed(tmp_path: Path) -> None:
    """Where the function is in the folder of the template, so are they."""
    (tmp_path / "index.py").write_text("")
    (tmp_path / "terraform.tfstate").write_text("secrets")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "greet.zip").write_text("the package before")

    assert own_files(a_function(tmp_path, tmp_path), tmp_path / "build") == {"index.py": b""}
