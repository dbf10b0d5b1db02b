"""Return values and exceptions of functions."""

from collections.abc import Callable
from typing import Any

import pytest

from localcloud.functiongraph.runtime.model import Credentials


Run = Callable[..., Any]
Make = Callable[..., Any]


def returning(expression: str) -> str:
    return f"import math\n\ndef handler(event, context):\n    return {expression}\n"


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("None", None),
        ("'text'", "text"),
        ("'{}'", "{}"),
        ("''", ""),
        ("{'a': [1, 2.5, True, None]}", {"a": [1, 2.5, True, None]}),
        ("0", 0),
        ("event['name'] + ' ü'", "nightly ü"),
    ],
)
def test_result_rule(run: Run, expression: str, result: object) -> None:
    """None is an empty body, text is the body itself, and anything else is encoded as JSON."""
    invocation = run(returning(expression), event='{"name": "nightly"}')
    assert (invocation.ok, invocation.result) == (True, result)


@pytest.mark.parametrize("expression", ["{1, 2}", "b'x'", "object()", "math.nan", "{(1, 2): 3}"])
def test_result_that_is_no_json(run: Run, expression: str) -> None:
    """A result that JSON cannot represent is an error of the function, 4007 on the platform."""
    error = run(returning(expression)).error
    assert error.error_type == "FunctionResultError"
    assert "4007" in error.error_message


@pytest.mark.parametrize(("size", "fits"), [(6 * 1024 * 1024, True), (6 * 1024 * 1024 + 1, False)])
def test_result_of_6_mb(run: Run, size: int, fits: bool) -> None:
    """A body may have up to 6 MB."""
    invocation = run(returning(f"'x' * {size}"))
    assert invocation.ok is fits
    assert fits or "4004" in invocation.error.error_message


def test_event_of_6_mb(run: Run) -> None:
    """A large event reaches the handler completely."""
    text = "x" * (6 * 1024 * 1024 - 20)
    assert run(returning("len(event['text'])"), event=f'{{"text": "{text}"}}').result == len(text)


def test_exception(run: Run) -> None:
    """The error has the class, the message, and the frames from the entry file on."""
    source = """
        import json

        def handler(event, context):
            return parse(event)

        def parse(event):
            return json.loads("{")
        """
    error = run(source).error
    assert error.error_type == "JSONDecodeError"
    assert "Expecting property name" in error.error_message
    assert "in handler" in error.stack_trace[0]
    assert "in parse" in error.stack_trace[1]
    assert all("functiongraph/runtime" not in frame for frame in error.stack_trace)


@pytest.mark.parametrize(
    ("source", "error_type", "message"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError", "No module named 'nothing_of_that_name'"),
        ("def handler(", "SyntaxError", "index.py, line 1"),
        ("x = 1", "AttributeError", "handler"),
        ("handler = 1", "TypeError", "not a function"),
        ("raise SystemExit(3)", "SystemExit", "sys.exit(3)"),
        ("import os; os._exit(7)", "FunctionExited", "exit status 7"),
    ],
)
def test_file_that_cannot_be_loaded(run: Run, source: str, error_type: str, message: str) -> None:
    """An error while the entry file is loaded is the error of that invocation."""
    invocation = run(source)
    assert invocation.error.error_type == error_type
    assert message in invocation.error.error_message
    assert invocation.report.duration_ms == 0
    assert all("importlib" not in frame for frame in invocation.error.stack_trace)


def test_initializer_that_raises(make_instance: Make, credentials: Credentials) -> None:
    """The invocation fails, and the next one starts the instance again."""
    instance = make_instance(
        """
        def initializer(context):
            raise ValueError("no topic")

        def handler(event, context):
            return "never"
        """,
        initializer="index.initializer",
    )
    invocations = [instance.invoke("{}", credentials) for _ in range(2)]
    assert [i.error.error_type for i in invocations] == ["ValueError"] * 2
    assert [i.report.cold_start for i in invocations] == [True, True]


@pytest.mark.parametrize(
    ("statement", "error_type", "message"),
    [
        ("sys.exit(1)", "SystemExit", "sys.exit(1)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
        ("os._exit(9)", "FunctionExited", "exit status 9"),
        ("os.kill(os.getpid(), 11)", "FunctionExited", "SIGSEGV"),
    ],
)
def test_function_that_ends_its_process(run: Run, statement: str, error_type: str, message: str) -> None:
    """sys.exit is an error, and so is a process that has ended."""
    error = run(f"import os, sys\n\ndef handler(event, context):\n    {statement}\n").error
    assert error.error_type == error_type
    assert message in error.error_message
