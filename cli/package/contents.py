"""What is packed, by its path in the zip: our own files as they are, the files of wheels where pip would put them."""

import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from cli.package.model import PackagingFailed
from cli.package.wheels import Wheel
from cli.template.model import Function


Files = dict[str, bytes]

SHARED = "shared"
"""The folder beside the template that every function of it brings along."""

LICENCES = "licences"
"""The folder in the zip for licence texts: ours, and one folder for each distribution."""

OUR_LICENCES = ("LICENSE", "NOTICE")
"""Beside the template, if they are there."""

_JUNK = re.compile(r"(^|/)(\.|#|__pycache__/|py\.typed$|terraform\.tfstate)|(~|\.(pyc|pyo|swp|orig|rej|bak|tmp))$")


def own_files(function: Function, out: Path | None = None) -> Files:
    """Return what is ours: the folder of *function* at the root, ``shared`` below it, the licence.

    What tools leave behind is not packed: hidden files, byte code, editors' copies, Terraform's state, the packages in
    *out*. Links are followed, and lines of modules end as in the repository. Raises PackagingFailed for a link to
    nothing or in a circle.
    """
    files = dict(_folder(function.code_uri, "", out))
    shared = function.code_root / SHARED
    if shared.is_dir():
        files |= dict(_folder(shared, f"{SHARED}/", out))
    texts = [function.code_root / name for name in OUR_LICENCES]
    return files | {f"{LICENCES}/{text.name}": _text(text) for text in texts if text.is_file()}


def is_junk(name: str) -> bool:
    """Whether a file is none that is packed; of a folder *name* ends with a slash."""
    return bool(_JUNK.search(name))


def _folder(folder: Path, prefix: str, out: Path | None) -> Iterator[tuple[str, bytes]]:
    for path in sorted(_paths(folder, "", (folder.resolve(),), out and out.resolve())):
        name = prefix + path.relative_to(folder).as_posix()
        yield name, _text(path) if name.endswith(".py") else path.read_bytes()


def _paths(folder: Path, above: str, parents: tuple[Path, ...], out: Path | None) -> Iterator[Path]:
    for path in folder.iterdir():
        name, real = above + path.name, path.resolve()
        if is_junk(f"{name}/" if path.is_dir() else name) or real == out:
            continue
        if real in parents:
            raise PackagingFailed(f"{path} is a link to a folder that it is in, {real}: it has no end")
        if path.is_dir():
            yield from _paths(path, f"{name}/", (*parents, real), out)
        elif path.is_file():
            yield path
        elif path.is_symlink():
            raise PackagingFailed(f"{path} is a link to {path.readlink()}, which is not there")


def _text(path: Path) -> bytes:
    content = path.read_bytes()
    return content if b"\0" in content else content.replace(b"\r\n", b"\n")


def wheel_files(wheel: Wheel) -> Files:
    """Return what pip would put into site-packages: scripts and headers are of no use to a function."""
    files: Files = {}
    with zipfile.ZipFile(wheel.path) as archive:
        for member in archive.infolist():
            name = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", member.filename)
            if not member.is_dir() and not name.partition("/")[0].endswith(".data"):
                files[name] = archive.read(member)
    return files


def merged(parts: Iterable[tuple[str, Files]]) -> Files:
    """Return the files of all *parts*, each with the name of what they are of.

    Raises PackagingFailed when two have a file of the same path that is not the same.
    """
    files: Files = {}
    for name, part in parts:
        for path, content in part.items():
            if files.setdefault(path, content) != content:
                raise PackagingFailed(f"{name} has a file {path}, and so has something else that is packed")
    return files
