"""What a package has of the wheels that its function requires."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain

from cli.package.contents import Files, merged
from cli.package.imports import imports_among
from cli.package.licences import licence_texts
from cli.package.sbom import Part
from cli.package.slim import read_rules, slim
from cli.package.wheels import Wheel


@dataclass(frozen=True, slots=True)
class Vendored:
    """The files by their paths in the zip, and what they are of each wheel."""

    files: Files
    parts: tuple[Part, ...]
    is_slim: bool


def published(wheels: Mapping[Wheel, Files]) -> Vendored:
    """Return all files of *wheels*. Raises PackagingFailed when two have different files of one path."""
    files = merged((wheel.name, files) for wheel, files in wheels.items())
    return Vendored(files, tuple(Part(wheel, files, files) for wheel, files in wheels.items()), is_slim=False)


def slimmed(wheels: Mapping[Wheel, Files], ours: Files, warn: Callable[[str], None]) -> Vendored:
    """Return what *ours*, the function's own files, reach of *wheels*, with the licence texts.

    Wheels that ``slim.yaml`` does not know stay as published. So does everything when they or *ours* import what it
    leaves out of the others: *warn* is told. Raises PackagingFailed as `slim` and `published` do.
    """
    rules = read_rules({wheel.name for wheel in wheels})
    known = merged((wheel.name, files) for wheel, files in wheels.items() if wheel.name in rules.made_for)
    others = merged((wheel.name, files) for wheel, files in wheels.items() if wheel.name not in rules.made_for)
    our_modules, other_modules = _modules(ours), _modules(others)
    kept = slim(known, [*our_modules.values(), *other_modules.values()], rules)
    gone = (known.keys() - kept.keys()) | (known.keys() & rules.made.keys())
    # What others import and nobody requires, they do without.
    needed = chain(imports_among(our_modules, gone | rules.made.keys()), imports_among(other_modules, gone))
    if missing := next(needed, None):
        importer, module = missing
        warn(f"{importer} imports {module}, which a slim package has not: packed like --full, it starts slower.")
        return published(wheels)
    files = merged([("slim.yaml", kept), ("the requirements", others)])
    parts = tuple(
        Part(wheel, all_, {name: files[name] for name in all_ if name in files and name not in rules.made})
        for wheel, all_ in wheels.items()
    )
    for part in parts:
        if part.packed and part.wheel.name in rules.made_for:
            files |= licence_texts(part.wheel.name, part.published)
    return Vendored(files, parts, is_slim=True)


def _modules(files: Files) -> Files:
    return {name: content for name, content in files.items() if name.endswith(".py")}
