"""Run by the target's Python on an unpacked package: records what libraries compile while a function is imported.

`shared/runtime/cold_start.py` says what for, and reads it. The one argument is the folder of the unpacked package.
"""

import dataclasses
import importlib.util
import marshal
import re
import sys
import typing
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any


def record(root: Path) -> Path:
    """Import `index.py` below *root* as FunctionGraph does, and write down every text and pattern compiled for it."""
    texts: dict[str, CodeType] = {}
    patterns: dict[Any, Any] = {}
    compiler: Any = vars(re).get("_compiler") or vars(re)["sre_compile"]  # since Python 3.11, until 3.10
    compile_pattern, sre = compiler.compile, vars(compiler)["_sre"]

    def note_text(text: str, filename: str, mode: str) -> CodeType:
        texts[text] = compile(text, filename, mode)
        return texts[text]

    def execute(text: str, variables: dict[str, Any], names: dict[str, Any]) -> None:
        exec(note_text(text, "<string>", "exec"), variables, names)  # noqa: S102 what dataclasses does itself

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
    vars(dataclasses)["exec"] = execute
    _import(root / "index.py")
    from cli.package.compiler import parts
    from shared.runtime.cold_start import recorded_file

    file = Path(recorded_file())
    held = list(parts((texts, patterns)))  # so that all of it is marked as shared, in every process
    file.write_bytes(marshal.dumps((texts, patterns)))
    del held
    return file


def _import(entry: Path) -> None:
    sys.path.insert(0, str(entry.parent))
    spec = importlib.util.spec_from_file_location("index", entry)
    assert spec  # noqa: S101 it is a file
    assert spec.loader  # noqa: S101
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


if __name__ == "__main__":
    record(Path(sys.argv[1]))
