"""What makes a cold start short while a function's modules are imported.

Python keeps the byte code of files, but not of what libraries compile from texts while they are imported: the methods
of dataclasses, annotations, and regular expressions. `ddsbackup package` records them in a file beside this module.
Without that file, or for what is not in it, they are compiled as ever.
"""

import gc
import marshal
import re
import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from types import CodeType
from typing import Any


Texts = dict[str, CodeType]
"""What `dataclasses` and `typing` compile, by its text."""

Patterns = dict[tuple[str | bytes, int], tuple[int, list[int], int, dict[str, int], tuple[str | None, ...]]]
"""What `_sre.compile` takes after the pattern, by pattern and flags."""


def recorded_file(cache_tag: str = sys.implementation.cache_tag) -> str:
    """Where both are kept for a version of Python, whose tag is that of its `.pyc` files (`cpython-310`)."""
    return str(PurePath(__file__).with_name(f"cold_start.{cache_tag}.bin"))


@contextmanager
def importing() -> Iterator[None]:
    """Import a function's modules within this; whatever it changes is put back.

    Nothing is collected meanwhile: next to nothing of it is garbage, and what is there at the end stays, so that later
    collections need not look at it.
    """
    gc.disable()
    try:
        with _recorded():
            yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _recorded() -> Iterator[None]:
    try:
        with open(recorded_file(), "rb") as file:  # noqa: PTH123
            texts, patterns = _load(file.read())
    except FileNotFoundError:
        yield
        return
    compiler: Any = vars(re).get("_compiler") or vars(re)["sre_compile"]  # since Python 3.11, until 3.10
    compile_pattern, sre = compiler.compile, vars(compiler)["_sre"]

    def find_pattern(pattern: Any, flags: int = 0) -> Any:
        known = patterns.get((pattern, int(flags))) if isinstance(pattern, (str, bytes)) else None
        return sre.compile(pattern, *known) if known else compile_pattern(pattern, flags)

    def find_annotation(text: str, filename: str, mode: str) -> CodeType:
        return texts.get(text) or compile(text, filename, mode)

    def execute(text: str, variables: dict[str, Any], names: dict[str, Any]) -> None:
        exec(texts.get(text, text), variables, names)  # noqa: S102 what dataclasses does itself

    compiler.compile = find_pattern
    vars(typing)["compile"] = find_annotation
    import dataclasses  # compiles patterns itself

    vars(dataclasses)["exec"] = execute
    try:
        yield
    finally:
        del vars(dataclasses)["exec"], vars(typing)["compile"]
        compiler.compile = compile_pattern


def _load(data: bytes) -> tuple[Texts, Patterns]:
    texts, patterns = marshal.loads(data)  # noqa: S302 it comes with the code, as byte code does
    return texts, patterns
