"""Loading a function's entry file the way FunctionGraph's runtime does."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any


def entry_file(code_uri: Path, handler: str) -> Path:
    """Return the file in *code_uri* that *handler* (``index.handler``, ``src/index.handler``) names."""
    module, _, _ = handler.rpartition(".")
    return code_uri / (module.replace(".", "/") + ".py")


def load_entry(file: Path) -> ModuleType:
    """Run *file* as a module that is in no ``sys.modules``: some dataclasses and pydantic models break there.

    Raises whatever the file raises while it is imported, and FileNotFoundError when it is not there.
    """
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def entry_point(module: ModuleType, handler: str) -> Callable[..., Any]:
    """Return the function that *handler* names in *module*. Raises AttributeError when there is none."""
    function = getattr(module, handler.rpartition(".")[2])
    if not callable(function):
        raise TypeError(f"{handler} is a {type(function).__name__}, not a function")
    return function  # type: ignore[no-any-return]
