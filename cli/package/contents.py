"""The application's own files in a package: the function at the root, ``shared`` and the licence, but no secrets."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase
from pathlib import Path

from cli.package.imports import imported_inside, imports_among, without_functions
from cli.package.model import Files, PackagingFailed
from cli.template.model import Function


SHARED = "shared"
"""The folder next to the template that every function's package includes."""

LICENCES = "licences"
"""The folder in the zip for licence texts: the application's own, and a folder for each distribution."""

OUR_LICENCES = ("LICENSE", "NOTICE")
"""Files next to the template. Both are optional."""

_JUNK = re.compile(r"(^|/)(\.|#|__pycache__/|py\.typed$|terraform\.tfstate)|(~|\.(pyc|pyo|swp|orig|rej|bak|tmp))$")

BOOTSTRAP = f"{SHARED}/bootstrap.py"
"""The module that puts the functions together. A function of its folder's name imports the part of each."""

SECRETS = (
    *("*.env", ".env*", ".netrc", "_netrc", ".pgpass", ".pypirc", ".npmrc", ".htpasswd", ".git-credentials"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.key", "*.ppk", "*.p12", "*.pfx", "*.jks", "*.keystore"),
    *("*.kdbx", "*.tfvars", "credentials*", "secrets.*"),
)
"""Names of files with secrets, in lower case. Modules (``credentials.py``) and public keys (``id_rsa.pub``) are not."""

_HARMLESS = (".py", ".pub")
_PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----")


def own_files(function: Function, out: Path | None = None) -> Files:
    """Return the application's own files: the function's folder at the root, ``shared`` below it, the licence.

    What only other functions import is left out of ``shared``. Hidden files, byte code, backup files of editors,
    Terraform's state and the packages in *out* are left out. Symbolic links are followed. Modules get the line endings
    of the repository. Raises PackagingFailed for a dangling or circular link.
    """
    files = dict(_folder(function.code_uri, "", out))
    shared = function.code_root / SHARED
    if shared.is_dir():
        files |= _without_others(dict(_folder(shared, f"{SHARED}/", out)), function.code_uri.name)
    texts = [function.code_root / name for name in OUR_LICENCES]
    return files | {f"{LICENCES}/{text.name}": _text(text) for text in texts if text.is_file()}


def _without_others(shared: Files, name: str) -> Files:
    """Return the files of *shared* without those that only other functions than *name* import.

    The bootstrap says where their parts begin, such as ``shared/prune/`` for ``shared.prune.function``.
    """
    bootstrap = shared.get(BOOTSTRAP, b"")
    found = imported_inside(bootstrap)
    parts = {one: modules for one, modules in found.items() if any(module.endswith(".function") for module in modules)}
    if name not in parts:
        return shared
    own = {_part(module) for module in parts.pop(name)}
    others = tuple({_part(module) for modules in parts.values() for module in modules} - own)
    sources = {**shared, BOOTSTRAP: without_functions(bootstrap, parts.keys())}
    gone = {file for file in shared if file.startswith(others)}
    while needed := _imported_files(sources, shared.keys() - gone) & gone:
        gone -= needed | {f"{file.rpartition('/')[0]}/__init__.py" for file in needed}
    while unused := _imported_files(sources, gone) - gone - _imported_files(sources, shared.keys() - gone):
        gone |= unused
    return {file: content for file, content in shared.items() if file not in gone}


def _imported_files(sources: Files, importers: AbstractSet[str]) -> set[str]:
    """Return which of *sources* the *importers* among them import."""
    found = imports_among({file: sources[file] for file in importers}, sources.keys())
    paths = {module.replace(".", "/") for _, module in found}
    return {file for path in paths for file in (f"{path}.py", f"{path}/__init__.py") if file in sources}


def _part(module: str) -> str:
    """Return the folder or file of the part of ``shared`` that *module* stands for."""
    path = module.replace(".", "/")
    return path.removesuffix("function") if path.endswith("/function") else f"{path}.py"


def is_junk(name: str) -> bool:
    """Whether a file is never packed. The *name* of a folder ends with a slash."""
    return bool(_JUNK.search(name))


def _folder(folder: Path, prefix: str, out: Path | None) -> Iterator[tuple[str, bytes]]:
    for name, path in sorted(files_below(folder, out)):
        if not is_junk(name):
            yield prefix + name, _text(path) if name.endswith(".py") else path.read_bytes()


def files_below(folder: Path, out: Path | None) -> Iterator[tuple[str, Path]]:
    """Yield each file below *folder* with its path from there. Folders that are never packed are left out, files not.

    Raises PackagingFailed for a dangling or circular link.
    """
    yield from _below(folder, "", (folder.resolve(),), out and out.resolve())


def _below(folder: Path, prefix: str, parents: tuple[Path, ...], out: Path | None) -> Iterator[tuple[str, Path]]:
    for path in folder.iterdir():
        name, real = prefix + path.name, path.resolve()
        if real == out or (path.is_dir() and is_junk(f"{name}/")):
            continue
        if real in parents:
            raise PackagingFailed(f"{path} is a link to a folder that contains it, {real}")
        if path.is_dir():
            yield from _below(path, f"{name}/", (*parents, real), out)
        elif path.is_file():
            yield name, path
        elif path.is_symlink() and not is_junk(name):
            raise PackagingFailed(f"{path} is a link to {path.readlink()}, which does not exist")


def _text(path: Path) -> bytes:
    content = path.read_bytes()
    return content if b"\0" in content else content.replace(b"\r\n", b"\n")


def merged(parts: Iterable[tuple[str, Files]]) -> Files:
    """Return the files of all *parts*, each given with the name of its origin.

    Raises PackagingFailed if two parts have different files at the same path.
    """
    files: Files = {}
    for name, part in parts:
        for path, content in part.items():
            if files.setdefault(path, content) != content:
                raise PackagingFailed(f"{name} has a file {path}, which differs from another file at this path")
    return files


def refuse_secrets(functions: Iterable[Function], out: Path, allowed: Sequence[str]) -> None:
    """Raise PackagingFailed, which names them, if files of *functions* or of ``shared`` look like secrets.

    Hidden files count, although they are not packed: other ways to zip the folder pack them. A file is let through if
    its name, or its path from the folder of the template, matches a pattern in *allowed* (as in `fnmatch`).
    """
    found = dict[str, str]()
    for function in functions:
        for folder in (function.code_uri, function.code_root / SHARED):
            if folder.is_dir():
                for path, why in _suspects(folder, out):
                    found.setdefault(Path(os.path.relpath(path, function.code_root)).as_posix(), why)
    names = [name for name in sorted(found) if not _is_allowed(name, allowed)]
    if names:
        raise PackagingFailed(
            "these files look like secrets, and whoever can read the code of the function could read them:\n"
            + "".join(f"  {name}: {found[name]}\n" for name in names)
            + "Move them to another folder, and pass secrets as parameters of the template that have NoEcho. If a file"
            f" is not a secret, allow it by its name, its path or a pattern: --allow-file '{names[0]}'"
        )


def _is_allowed(name: str, allowed: Sequence[str]) -> bool:
    return any(fnmatchcase(one, pattern) for pattern in allowed for one in (name, name.rpartition("/")[2]))


def _suspects(folder: Path, out: Path) -> Iterator[tuple[Path, str]]:
    for name, path in files_below(folder, out):
        own_name = name.rpartition("/")[2].lower()
        if own_name.endswith(_HARMLESS):
            continue
        if pattern := next((pattern for pattern in SECRETS if fnmatchcase(own_name, pattern)), None):
            yield path, f"its name matches {pattern}"
        elif _PRIVATE_KEY.search(path.read_bytes()):
            yield path, "it contains a private key"
