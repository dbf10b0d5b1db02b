"""A slim package: what the functions reach of their requirements, and stubs for what is imported but never used.

The SDK's packages become lazy: ``huaweicloudsdkdds/v3/__init__.py`` imports both clients and 419 models, one module
each, and the client imports them again. Every name comes from a ``from module import Name``, so a table of names and a
module-level ``__getattr__`` (PEP 562) replaces all of it. The SDK finds models by ``getattr(package, name)``, which
works the same.
"""

import ast
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from cli.package.contents import merged
from cli.package.imports import imported, imports_among, own_imports, reached_modules, services, unreached_files
from cli.package.model import Files, Origin, PackagingFailed
from cli.package.sbom import Part, licence_texts
from cli.package.wheels import Wheel


RULES = Path(__file__).with_name("slim.yaml")

MODELS = "It imports every model of a service, most of which are left out. It is made lazy."
"""Why the packages of the SDK's services are changed."""

STUB = '''\
"""Made by `ddsbackup package` in place of {module}. {reason}"""


def _left_out(*arguments, **named):
    raise ImportError("{module} was left out of this package: `ddsbackup package --full` leaves out nothing")


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    _left_out()
'''
CLASS = """

class {name}:
    __init__ = _left_out
"""
HIDDEN = '''\
"""Made by `ddsbackup package` to hide {module}. {reason}"""

raise ImportError("{module} is hidden by this package")
'''
LAZY = '''\
"""Made by `ddsbackup package` from the published {file}, which imports all of this at once."""

from importlib import import_module

_MODULES = {modules}
_LEFT_OUT = {left_out}


def __getattr__(name):
    if name in _LEFT_OUT:
        raise ImportError(f"{{name}} was left out of this package: `ddsbackup package --full` leaves out nothing")
    if name not in _MODULES:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    value = globals()[name] = getattr(import_module(_MODULES[name], __name__), name)
    return value


def __dir__():
    return sorted(globals().keys() | _MODULES.keys())
'''


@dataclass(frozen=True, slots=True)
class Vendored:
    """The files of wheels by path in the zip, and the part of each wheel."""

    files: Files
    parts: tuple[Part, ...]
    origins: Mapping[str, Origin]
    """The origin of each of the files."""
    is_slim: bool


def published(wheels: Mapping[Wheel, Files]) -> Vendored:
    """Return all files of *wheels*. Raises PackagingFailed if two have different files at the same path."""
    files = merged((wheel.name, files) for wheel, files in wheels.items())
    parts = tuple(Part(wheel, files, files) for wheel, files in wheels.items())
    return Vendored(files, parts, _origins(parts, {}), is_slim=False)


def slimmed(wheels: Mapping[Wheel, Files], ours: Files, warn: Callable[[str], None]) -> Vendored:
    """Return the files of *wheels* that *ours*, the application's own files, reach, and the licence texts.

    Wheels that ``slim.yaml`` does not know stay as published. If they or *ours* import something that the rules leave
    out, *warn* is called and all wheels stay as published. Raises PackagingFailed as `slim` and `published` do.
    """
    our_modules = _modules(ours)
    packages = {module.split(".")[0] for source in our_modules.values() for module, _ in imported(source)}
    rules = read_rules({wheel.name for wheel in wheels}, packages)
    known = merged((wheel.name, files) for wheel, files in wheels.items() if wheel.name in rules.made_for)
    others = merged((wheel.name, files) for wheel, files in wheels.items() if wheel.name not in rules.made_for)
    other_modules = _modules(others)
    kept = slim(known, [*our_modules.values(), *other_modules.values()], rules)
    gone = (known.keys() - kept.keys()) | (known.keys() & rules.made.keys())
    # Other wheels can do without a hidden module that no wheel has.
    needed = chain(imports_among(our_modules, gone | rules.made.keys()), imports_among(other_modules, gone))
    if missing := next(needed, None):
        importer, module = missing
        warn(f"{importer} imports {module}, which a slim package lacks. Packed as with --full: it starts slower.")
        return published(wheels)
    files = merged([("slim.yaml", kept), ("the requirements", others)])
    parts = tuple(
        Part(wheel, all_, {name: files[name] for name in all_ if name in files and name not in rules.made})
        for wheel, all_ in wheels.items()
    )
    purls = {part.wheel.name: part.purl for part in parts}
    origins = _origins(parts, rules.reasons)
    origins |= {name: Origin("stub", purls[of], rules.reasons[name]) for name, of in rules.made_of.items()}
    for part in parts:
        if part.packed and part.wheel.name in rules.made_for:
            texts = licence_texts(part.wheel.name, part.published)
            files |= texts
            origins |= dict.fromkeys(texts, Origin("licence", part.purl))
    return Vendored(files, parts, origins, is_slim=True)


def _origins(parts: Iterable[Part], reasons: Mapping[str, str]) -> dict[str, Origin]:
    """Return the origin of each packed file of *parts*. *reasons* say why a file is changed."""
    origins = dict[str, Origin]()
    for part in parts:
        for name, content in part.packed.items():
            changed = content != part.published[name]
            origins[name] = (
                Origin("changed", part.purl, reasons.get(name, MODELS)) if changed else Origin("unchanged", part.purl)
            )
    return origins


def _modules(files: Files) -> Files:
    return {name: content for name, content in files.items() if name.endswith(".py")}


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of ``slim.yaml`` for some requirements."""

    leave_out: tuple[str, ...]
    """Path patterns, each of which must match a file."""
    made: Files = field(repr=False)
    """Stubs and modules that hide others, by path."""
    lazy: tuple[str, ...]
    """The ``__init__.py`` of packages to make lazy."""
    made_of: Mapping[str, str] = field(default_factory=dict)
    """The requirement whose module each file that is made replaces, or for which it hides another."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why a file is made, or made lazy, by path."""
    leave_out_of_all: tuple[str, ...] = ()
    """Path patterns that need not match a file."""
    made_for: frozenset[str] = frozenset()
    """The requirements that the rules were made for."""


def read_rules(requirements: AbstractSet[str], packages: AbstractSet[str] = frozenset(), file: Path = RULES) -> Rules:
    """Return the rules in *file* for *requirements*, the normalized names of distributions.

    *packages* are those that the function itself imports.
    """
    data: dict[str, list[Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    made_for = frozenset(data.pop("made_for"))
    rules: dict[str, list[dict[str, Any]]] = {
        section: [
            entry
            for entry in entries
            if entry.get("of") in {None, *requirements} and entry.get("unless_imported") not in packages
        ]
        for section, entries in data.items()
    }
    made: Files = {}
    made_of, reasons = dict[str, str](), dict[str, str]()
    hidden = [(entry, {f"{entry['module']}.py": HIDDEN.format(**entry).encode()}) for entry in rules["hidden"]]
    for entry, files in [*((entry, _stub(entry)) for entry in rules["stubs"]), *hidden]:
        made |= files
        made_of |= dict.fromkeys(files, entry["of"])
        reasons |= dict.fromkeys(files, entry["reason"])
    reasons |= {f"{entry['package']}/__init__.py": entry["reason"] for entry in rules["lazy"]}
    return Rules(
        leave_out=tuple(path for entry in rules["leave_out"] if "of" in entry for path in entry["paths"]),
        made=made,
        lazy=tuple(f"{entry['package']}/__init__.py" for entry in rules["lazy"]),
        made_of=made_of,
        reasons=reasons,
        leave_out_of_all=tuple(path for entry in rules["leave_out"] if "of" not in entry for path in entry["paths"]),
        made_for=made_for,
    )


def _stub(entry: dict[str, Any]) -> Files:
    """Return the stub of a module and the empty packages above it."""
    *parents, _ = folders = entry["module"].split(".")
    classes = "".join(CLASS.format(name=name) for name in entry.get("classes", ()))
    files = {"/".join([*parents[: depth + 1], "__init__.py"]): b"" for depth in range(len(parents))}
    return files | {"/".join(folders) + ".py": (STUB.format(**entry) + classes).encode()}


def slim(files: Files, ours: Iterable[bytes], rules: Rules) -> Files:
    """Return *files*, those of the wheels, without what *rules* leave out and *ours*, sources of modules, do not reach.

    Raises PackagingFailed if a rule matches nothing, which can happen after a change of versions: it needs a review.
    """
    unused = [pattern for pattern in rules.leave_out if not any(fnmatchcase(name, pattern) for name in files)]
    unused += [name for name in rules.lazy if name not in files]
    if unused:
        raise PackagingFailed(f"{RULES.name}: no file of the requirements matches {', '.join(unused)}")
    kept = {
        name: content
        for name, content in files.items()
        if not any(fnmatchcase(name, pattern) for pattern in (*rules.leave_out, *rules.leave_out_of_all))
    }
    sources = list(ours)
    for service in services(files):
        reached = reached_modules(service, files, sources)
        unreached = unreached_files(service, reached)
        kept = {name: content for name, content in kept.items() if name not in unreached}
        for name in service.packages:
            kept[name] = lazy_package(name, files[name], frozenset(service.modules.values()) - reached)
    for name in rules.lazy:
        kept[name] = lazy_package(name, files[name])
    return kept | rules.made


def lazy_package(file: str, source: bytes, left_out: AbstractSet[str] = frozenset()) -> bytes:
    """Return a lazy ``__init__.py`` in place of *source*. Names of the modules *left_out* raise an ImportError.

    What *source* does besides importing from its own package stays as it is. Raises PackagingFailed if it cannot be
    made lazy, which may be the case in a later version.
    """
    modules, others = own_imports(file, source)
    kept = [f"{name!r}: {module!r}" for name, module in modules.items() if module not in left_out]
    gone = [repr(name) for name, module in modules.items() if module in left_out]
    text = LAZY.format(file=file, modules=_literal("{", kept, "}"), left_out=_literal("(", gone, ")"))
    return "\n\n".join([text, *map(ast.unparse, others)]).encode()


def _literal(opening: str, items: list[str], closing: str) -> str:
    return "\n".join([opening, *(f"    {item}," for item in items), closing])
