"""Functions of a few lines of source, instances that run them, and the command in this process."""

import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from cli.functions import function_spec
from cli.template.load import load_template
from cli.template.model import Function, Template
from localcloud.functiongraph.runtime.instance import Instance
from localcloud.functiongraph.runtime.model import Credentials
from tests import commands
from tests.commands import Ran


TEMPLATE = """\
Parameters: {{{parameters}}}
Resources:
  Sample:
    Type: HC::Serverless::Function
    Properties:
      FunctionName: sample
      CodeUri: functions/sample
      Handler: index.handler
      Runtime: Python3.10
      {properties}
"""


class MakeFunction(Protocol):
    def __call__(self, source: str, **changes: Any) -> Function: ...


class MakeInstance(Protocol):
    def __call__(
        self, source: str, *, settings: dict[str, str] | None = None, timeout: float = 10, **changes: Any
    ) -> Instance: ...


@pytest.fixture
def credentials() -> Credentials:
    return Credentials("AKTEMPORARY", "a-secret-key", "a-security-token", "an-iam-token")


@pytest.fixture
def make_function(tmp_path: Path) -> MakeFunction:
    """Create a function whose index.py is the given source, in ``functions/sample`` of its own code root."""

    def make(source: str, **changes: Any) -> Function:
        code_root = tmp_path / "application"
        code_uri = code_root / "functions" / "sample"
        code_uri.mkdir(parents=True, exist_ok=True)
        (code_uri / "index.py").write_text(textwrap.dedent(source), encoding="utf-8")
        values: dict[str, Any] = {
            "resource": "Sample",
            "name": "sample",
            "description": "",
            "code_root": code_root,
            "code_uri": code_uri,
            "handler": "index.handler",
            "initializer": None,
            "initializer_timeout": 10,
            "runtime": "Python3.10",
            "memory_size": 256,
            "timeout": 10,
            "agency": None,
            "variables": {},
            "async_invoke": None,
            "events": (),
        }
        return Function(**(values | changes))

    return make


@pytest.fixture
def log() -> list[str]:
    """The lines that the functions of the test printed."""
    return []


@pytest.fixture
def make_instance(make_function: MakeFunction, log: list[str]) -> Iterator[MakeInstance]:
    """Start instances, which end with the test."""
    with ExitStack() as stack:

        def make(
            source: str, *, settings: dict[str, str] | None = None, timeout: float = 10, **changes: Any
        ) -> Instance:
            function = make_function(source, **changes)
            instance = Instance(function_spec(function, timeout), settings or {}, "a-project", log=log.append)
            return stack.enter_context(instance)

        yield make


@pytest.fixture
def run(make_instance: MakeInstance, credentials: Credentials) -> Callable[..., Any]:
    """Invoke a function with the given source once, with an empty event by default."""

    def run_once(source: str, event: str = "{}", **changes: Any) -> Any:
        return make_instance(source, **changes).invoke(event, credentials)

    return run_once


@pytest.fixture
def ddsbackup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Ran]:
    """Run the command in this process, in an empty directory."""
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return commands.run


@pytest.fixture
def application(make_function: MakeFunction, tmp_path: Path) -> Callable[..., Path]:
    """Write an application with one function, ``sample``, with the given source. Returns the path of its template."""

    def write(source: str, properties: str = "", parameters: str = "") -> Path:
        root = make_function(source).code_root
        template = root / "template.yaml"
        template.write_text(TEMPLATE.format(parameters=parameters, properties=properties), encoding="utf-8")
        return template

    return write


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Template]:
    """Load a template with the given text, next to a folder ``code`` with an index.py."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "index.py").write_text("def handler(event, context): ...\n\ndef initializer(context): ...\n")
    file = tmp_path / "template.yaml"

    def load_text(text: str) -> Template:
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return load_template(file)

    return load_text
