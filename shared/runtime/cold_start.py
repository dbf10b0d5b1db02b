"""What makes a cold start short while a function's modules are imported.

A cold start is imports. Their byte code is in hundreds of files, each of which is looked for, opened and read; and of
what libraries compile from texts meanwhile (methods of dataclasses, annotations, patterns) Python keeps none.
`ddsbackup package` records all of it in one file beside this module. Without that file, or for what is not in it,
modules are read and texts compiled as ever.
"""

import gc
import marshal
import os
import re
import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple


Patterns = dict[tuple[str | bytes, int], tuple[int, list[int], int, dict[str, int], tuple[str | None, ...]]]


class Record(NamedTuple):
    """What is recorded of a package.

    Attributes:
        modules: of each module its file below the root of the package, and its byte code as `.pyc` files hold it.
        texts: what `dataclasses` and `typing` compile, by its text.
        patterns: what `_sre.compile` takes after the pattern, by pattern and flags.
    """

    modules: dict[str, tuple[str, bytes]]
    texts: dict[str, CodeType]
    patterns: Patterns


def recorded_file(cache_tag: str = sys.implementation.cache_tag) -> Path:
    """Where it is kept for a version of Python, whose tag is that of its `.pyc` files (`cpython-310`)."""
    return Path(__file__).with_name(f"cold_start.{cache_tag}.bin")


@contextmanager
def importing() -> Iterator[None]:
    """Import a function's modules within this; whatever it changes of the interpreter is put back.

    Nothing is collected meanwhile: next to nothing of it is garbage, and what is there at the end stays, so that later
    collections need not look at it.
    """
    # pydantic would look for plug-ins in the metadata of every installed package, FunctionGraph's own included.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
    try:
        record = _read()
        if record is None:
            yield
        else:
            with _compiled(record), _found(record):
                yield
    finally:
        gc.freeze()
        gc.enable()


def _read() -> Record | None:
    try:
        return Record(*marshal.loads(recorded_file().read_bytes()))  # noqa: S302 it comes with the code, as byte code does
    except FileNotFoundError:
        return None


@contextmanager
def _compiled(record: Record) -> Iterator[None]:
    """Let `re`, `typing` and `dataclasses` take what is recorded instead of compiling it."""
    texts, patterns = record.texts, record.patterns
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


@contextmanager
def _found(record: Record) -> Iterator[None]:
    """Find the modules that are recorded before any folder is searched."""
    finder = _Finder(record.modules)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder:
    """Finds modules in a record; they are those that the folders have, loaded otherwise."""

    def __init__(self, modules: dict[str, tuple[str, bytes]]) -> None:
        self._modules = modules
        self._root = Path(__file__).parents[2]

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """What `sys.meta_path` asks of a finder."""
        found = self._modules.pop(name, None)
        if found is None:
            return None
        file = f"{self._root}/{found[0]}"
        is_package = file.endswith("/__init__.py")
        spec = ModuleSpec(name, _Loader(name, file, found[1]), origin=file, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [file.removesuffix("/__init__.py")]
        return spec


class _Loader(SourceFileLoader):
    """As for any file, but for the byte code, which is at hand once."""

    def __init__(self, name: str, file: str, byte_code: bytes) -> None:
        super().__init__(name, file)
        self._byte_code = byte_code

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code."""
        byte_code, self._byte_code = self._byte_code, b""
        return marshal.loads(byte_code) if byte_code else super().get_code(fullname)  # noqa: S302 as above
