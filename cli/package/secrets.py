"""Files that look like secrets are not packed: everybody who can read a function's code could read them."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from cli.package.contents import SHARED, files_below
from cli.package.model import PackagingFailed
from cli.template.model import Function


NAMES = (
    *("*.env", ".env*", ".netrc", "_netrc", ".pgpass", ".pypirc", ".npmrc", ".htpasswd", ".git-credentials"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.key", "*.ppk", "*.p12", "*.pfx", "*.jks", "*.keystore"),
    *("*.kdbx", "*.tfvars", "credentials*", "secrets.*"),
)
"""Names of files with secrets, in lower case. Modules (``credentials.py``) and public keys (``id_rsa.pub``) are not."""

_HARMLESS = (".py", ".pub")
_PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----")


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
        if pattern := next((pattern for pattern in NAMES if fnmatchcase(own_name, pattern)), None):
            yield path, f"its name matches {pattern}"
        elif _PRIVATE_KEY.search(path.read_bytes()):
            yield path, "it contains a private key"
