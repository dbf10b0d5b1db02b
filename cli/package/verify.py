"""Compares a zip with the package that this checkout makes, file by file.

The zip says itself which function it is, and how it was packed: in its bill of materials. Nothing of it is run or
unmarshalled. Only files that have the expected size are unpacked.
"""

import hashlib
import json
import re
import stat
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.errors import WrongCall
from cli.package.build import build_packages, notices
from cli.package.model import Observer, Origin, Package
from cli.package.sbom import BILL, RECORD, read_origins
from cli.template.model import Template


MOST = 16 * 1024 * 1024
"""The largest bill of materials that is read, in bytes."""

_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What `zipfile` raises for a damaged, unsupported or encrypted file."""
_ORDER = ("source", "record", "stub", "changed", "unchanged", "byte-code", "licence", "bill")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a zip states about itself."""

    function: str
    python: str
    is_full: bool
    compiled_by: str
    """Such as ``CPython 3.10.13``. Empty without byte code."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that differs between a zip and the package of this checkout.

    Attributes:
        change: ``added`` (only in the zip), ``missing`` (only in the package), ``changed``, or ``repeated`` (more than
            once in the zip).
        origin: of the file in the package. None if it is only in the zip.
        meaning: what that means for the function.
    """

    path: str
    change: str
    origin: Origin | None
    meaning: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a comparison.

    Attributes:
        package: what this checkout makes. Its files no longer exist.
        digest: SHA-512 of the zip.
        differences: what matters most comes first.
        notes: what may explain the differences.
    """

    path: Path
    statement: Statement
    package: Package
    digest: str
    differences: Sequence[Difference]
    notes: Sequence[str]


def verify(path: Path, template: Template, observer: Observer, allowed: Sequence[str] = ()) -> Verification:
    """Compare the zip *path* with the package that the sources of *template* make.

    *allowed* is as in `build_packages`. Raises WrongCall if the zip cannot be read, or is no package of a function in
    *template*, and PackagingFailed if the package cannot be made.
    """
    with _opened(path) as archive:
        statement = _statement(path, archive)
        functions = {function.name: function for function in template.functions}
        if statement.function not in functions:
            raise WrongCall(
                f"{path} is a package of the function {statement.function!r}, and {template.file} has"
                f" {', '.join(functions) or 'none'}: name its template with --template"
            )
        for notice in notices([functions[statement.function]], None):
            observer.warn(notice)
        with tempfile.TemporaryDirectory(prefix="ddsbackup-") as scratch:
            (package,) = build_packages(
                [functions[statement.function]],
                out=Path(scratch),
                observer=observer,
                python=statement.python,
                full=statement.is_full,
                with_byte_code=bool(statement.compiled_by),
                allowed=allowed,
                reuse=False,
            )
            origins = read_origins(package.sbom.read_text(encoding="utf-8"))
            with zipfile.ZipFile(package.path) as built:
                compiled_by = _statement(package.path, built).compiled_by
                changes = dict(_changes(archive, built))
    same_python = compiled_by == statement.compiled_by
    notes = []
    if changes and not same_python:
        notes.append(
            f"The zip names {statement.compiled_by} as the maker of its byte code, and here it was {compiled_by}."
            " Byte code and record can differ for this reason alone. Install the former to compare them."
        )
    found = [
        Difference(
            name,
            change,
            origins.get(name),
            MEANINGS[_situation(name, change, origins, changes, same_python=same_python)],
        )
        for name, change in changes.items()
    ]
    digest = hashlib.sha512(path.read_bytes()).hexdigest()
    return Verification(path, statement, package, digest, sorted(found, key=_weight), notes)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except OSError as error:
        raise WrongCall(f"cannot read {path}: {error.strerror or error}") from error
    except _UNREADABLE as error:
        raise WrongCall(f"{path} is not a zip that can be read: {error}. Download or make it again.") from error


def _weight(difference: Difference) -> tuple[int, str]:
    kind = difference.origin.kind if difference.origin else "source"
    return _ORDER.index(kind), difference.path


def _statement(path: Path, archive: zipfile.ZipFile) -> Statement:
    """Return what the zip states. Raises WrongCall if it has no bill of materials of `ddsbackup package`."""
    wrong = (
        f"{path} is not a package that this version of `ddsbackup package` made: "
        "{}. It must be the zip of a function. Earlier versions packed no bill of materials: check out the commit of"
        " such a zip, run `ddsbackup package`, and compare the two with sha512sum."
    )
    if BILL not in archive.namelist():
        raise WrongCall(wrong.format(f"it has no {BILL}"))
    info = archive.getinfo(BILL)
    if info.file_size > MOST:
        raise WrongCall(wrong.format(f"its {BILL} has {info.file_size} bytes"))
    try:
        function: dict[str, Any] = json.loads(archive.read(info))["metadata"]["component"]
        facts = {str(one["name"]).removeprefix("ddsbackup:"): str(one["value"]) for one in function["properties"]}
        name, python, requirements = str(function["name"]), facts["python"], facts["requirements"]
    except (*_UNREADABLE, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise WrongCall(wrong.format(f"its {BILL} cannot be read ({error!r})")) from error
    compiled_by = facts.get("byte-code", "")
    stated = (python, requirements, compiled_by)
    if not re.fullmatch(r"3\.\d+ (slim|full) (CPython 3\.\d+\.\d+)?", " ".join(stated)):
        raise WrongCall(wrong.format(f"its {BILL} states {stated}"))
    return Statement(name, python, requirements == "full", compiled_by)


def _changes(found: zipfile.ZipFile, built: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the path and the change of each file that differs."""
    names = Counter(info.filename for info in found.infolist() if not info.is_dir())
    expected = {info.filename: info for info in built.infolist()}
    for name in sorted(names.keys() | expected.keys()):
        if names[name] > 1:
            yield name, "repeated"
        elif name not in expected:
            yield name, "added"
        elif not names[name]:
            yield name, "missing"
        elif not _is_same(found, found.getinfo(name), built.read(expected[name])):
            yield name, "changed"


def _is_same(found: zipfile.ZipFile, info: zipfile.ZipInfo, content: bytes) -> bool:
    if info.file_size != len(content) or stat.S_ISLNK(info.external_attr >> 16):
        return False
    try:
        return found.read(info) == content
    except _UNREADABLE:  # the function could not read it, either
        return False


MEANINGS = {
    "repeated": "It is in the zip more than once. Which one runs depends on who unpacks it.",
    "added record": "This checkout makes no such record. A function with this Python runs what is in it.",
    "added code": "Code that no source of this checkout has. The function can import it.",
    "added file": "This checkout has no such file.",
    "missing record": "The function starts without it, which takes longer.",
    "missing byte-code": "The module is compiled at each cold start, unless the record has it.",
    "missing licence": "The licence requires its text in every copy.",
    "missing file": "This checkout packs it. What needs it fails, or does without it.",
    "other Python": "It was made by another release of Python, or has other code. The function runs it.",
    "record alone": "It has code that no source has: no source in the zip differs. The function runs it.",
    "record of other sources": "It was made from other sources than those of this checkout. The function runs it.",
    "byte-code alone": "It is not the byte code of its source, which does not differ. The function runs it.",
    "byte-code of another source": "It was made from another source than that of this checkout.",
    "edited source": "It was edited after packing: its byte code is that of this checkout. The function runs the edit.",
    "other source": "It is not the source of this checkout. The function runs it, unless byte code has its hash.",
    "other module": "It is not what this checkout packs. The function runs its byte code instead, if there is any.",
    "other bill": "It states other origins, versions or licences.",
    "other file": "It is not what this checkout packs.",
}
"""What a difference means for the function."""
_CODE = (".py", ".pyc", ".so", ".pth", ".zip", ".bin")


def _situation(
    name: str, change: str, origins: Mapping[str, Origin], changes: Mapping[str, str], *, same_python: bool
) -> str:
    """Return the key in MEANINGS of a *change* of the file *name*, in view of all *changes*."""
    if change == "repeated":
        return change
    if change == "added":
        kind = "code" if name.endswith(_CODE) else "file"
        return "added record" if RECORD.fullmatch(name) else f"added {kind}"
    origin = origins[name]
    if change == "missing":
        return f"missing {origin.kind}" if origin.kind in {"record", "byte-code", "licence"} else "missing file"
    if origin.kind in {"record", "byte-code"}:
        return _compiled(origin, changes, same_python=same_python)
    if origin.kind == "source" and name.endswith(".py"):
        records = {other for other, one in origins.items() if one.kind == "record"}
        compiled = {other for other, one in origins.items() if one.of == name} or records
        return "edited source" if compiled and not compiled & changes.keys() else "other source"
    is_module = origin.kind in {"unchanged", "changed", "stub"} and name.endswith(".py")
    return "other module" if is_module else "other bill" if origin.kind == "bill" else "other file"


def _compiled(origin: Origin, changes: Mapping[str, str], *, same_python: bool) -> str:
    """Return the key in MEANINGS of changed byte code, or of a changed record."""
    if origin.kind == "record":
        other, is_other = "record of other sources", any(name.endswith(".py") for name in changes)
    else:
        other, is_other = "byte-code of another source", origin.of in changes
    return other if is_other else f"{origin.kind} alone" if same_python else "other Python"
