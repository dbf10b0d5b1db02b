"""Records what is read and compiled while a function is imported. Runs with the target's Python on an unpacked package.

The only argument is the folder of the package. `shared/runtime/cold_start.py` reads the record, and explains what it is
for. The files of byte code that the record contains are deleted.
"""

import hashlib
import importlib.util
import marshal
import re
import signal
import sys
import typing
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any


BEFORE = {"shared", "shared.runtime", "shared.runtime.cold_start"}
"""Modules that are imported before the record is read."""

CHECKED_HASH = 3
"""The flags in the header of byte code that is compared with the hash of its source (PEP 552)."""


def record(root: Path) -> Path:
    """Import `index.py` below *root* as FunctionGraph does, and write the record. Return its file."""
    texts: dict[str, CodeType] = {}
    patterns: dict[Any, Any] = {}
    compiler: Any = vars(re).get("_compiler") or vars(re)["sre_compile"]  # Python 3.11 and later, Python 3.10
    compile_pattern, sre = compiler.compile, vars(compiler)["_sre"]

    def note_text(text: str, filename: str, mode: str) -> CodeType:
        texts[text] = compile(text, filename, mode)
        return texts[text]

    def execute(text: str, variables: dict[str, Any], names: dict[str, Any]) -> None:
        exec(note_text(text, "<string>", "exec"), variables, names)  # noqa: S102 as dataclasses does itself

    def note_pattern(pattern: Any, flags: int = 0) -> Any:
        def note(same: Any, all_flags: int, code: Any, groups: int, index: Any, names: Any) -> Any:
            if isinstance(pattern, (str, bytes)):
                plain = [int(word) for word in code]
                patterns[pattern, int(flags)] = (int(all_flags), plain, groups, dict(index), tuple(names))
            return sre.compile(same, all_flags, code, groups, index, names)

        vars(compiler)["_sre"] = SimpleNamespace(**{**vars(sre), "compile": note})
        try:
            return compile_pattern(pattern, flags)
        finally:
            vars(compiler)["_sre"] = sre

    compiler.compile = note_pattern
    vars(typing)["compile"] = note_text
    import dataclasses  # compiles patterns itself

    vars(dataclasses)["exec"] = execute
    _import(root / "index.py")
    modules = _modules(root)
    file = _write(modules, texts, patterns)
    for source, _, _ in modules.values():
        Path(importlib.util.cache_from_source(str(root / source))).unlink()
    return file


def _import(entry: Path) -> None:
    sys.path.insert(0, str(entry.parent))
    spec = importlib.util.spec_from_file_location("index", entry)
    assert spec  # noqa: S101 it is a file
    assert spec.loader  # noqa: S101
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _modules(root: Path) -> dict[str, tuple[str, bytes, bytes]]:
    """Return `Record.modules` for the imported modules of the package, in the order of the imports.

    The hash of the source comes from byte code that is compared with its source.
    """
    found = {}
    for name, module in sys.modules.items():
        spec = getattr(module, "__spec__", None)
        file = (spec and spec.name == name and spec.origin) or ""  # an alias of a module has that module's spec
        if name not in BEFORE and file.startswith(f"{root}/") and file.endswith(".py"):
            byte_code = Path(importlib.util.cache_from_source(file))
            if byte_code.is_file():
                content = byte_code.read_bytes()
                source_hash = content[8:16] if content[4] == CHECKED_HASH else b""
                found[name] = (file.removeprefix(f"{root}/"), source_hash, content[16:])
    return found


def _write(modules: dict[str, tuple[str, bytes, bytes]], texts: dict[str, CodeType], patterns: dict[Any, Any]) -> Path:
    from shared.runtime.cold_start import recorded_file

    file = recorded_file()
    content = _marshalled((modules, _marshalled(texts), patterns))
    file.write_bytes(importlib.util.MAGIC_NUMBER + hashlib.sha256(content).digest() + content)
    return file


def _marshalled(value: Any) -> bytes:
    from cli.package.compiler import parts

    held = list(parts(value))  # so that marshal marks every object as shared
    content = marshal.dumps(value)
    del held
    return content


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent receives Ctrl-C, too, and reports it
    record(Path(sys.argv[1]))
