"""What becomes of what a function returns, raises or does not finish."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.runner.instance import Instance
from cli.runner.invocation import Credentials


Run = Callable[..., Any]
Make = Callable[..., Any]


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells this of a process")


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
    """None is an empty body, text is the body as it is, anything else is JSON."""
    invocation = run(returning(expression), event='{"name": "nightly"}')
    assert (invocation.ok, invocation.result) == (True, result)


@pytest.mark.parametrize("expression", ["{1, 2}", "b'x'", "object()", "math.nan", "{(1, 2): 3}"])
def test_result_that_is_no_json(run: Run, expression: str) -> None:
    """A result that JSON cannot say is an error of the function: 4007 on the platform."""
    error = run(returning(expression)).error
    assert error.error_type == "FunctionResultError"
    assert "4007" in error.error_message


@pytest.mark.parametrize(("size", "fits"), [(6 * 1024 * 1024, True), (6 * 1024 * 1024 + 1, False)])
def test_result_of_6_mb(run: Run, size: int, fits: bool) -> None:
    """A body may have 6 MB and not a byte more."""
    invocation = run(returning(f"'x' * {size}"))
    assert invocation.ok is fits
    assert fits or "4004" in invocation.error.error_message


def test_event_of_6_mb(run: Run) -> None:
    """An event of several megabytes reaches the handler whole."""
    text = "x" * (6 * 1024 * 1024 - 20)
    assert run(returning("len(event['text'])"), event=f'{{"text": "{text}"}}').result == len(text)


def test_exception(run: Run) -> None:
    """An exception gives its class, its message, and the frames from the entry file on."""
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
    assert all("cli/runner" not in frame for frame in error.stack_trace)


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
    """What goes wrong while the entry file is loaded is the error of the invocation that wanted it."""
    invocation = run(source)
    assert invocation.error.error_type == error_type
    assert message in invocation.error.error_message
    assert invocation.report.duration_ms == 0
    assert all("importlib" not in frame for frame in invocation.error.stack_trace)


def test_initializer_that_raises(make_instance: Make, credentials: Credentials) -> None:
    """A failed initializer fails the invocation, and the next one starts the instance anew."""
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
    """sys.exit is an error, and so is a process that is gone."""
    error = run(f"import os, sys\n\ndef handler(event, context):\n    {statement}\n").error
    assert error.error_type == error_type
    assert message in error.error_message


def test_timeout_ends_the_function_and_its_children(run: Run, tmp_path: Path) -> None:
    """At the timeout the process is killed, with every process that it started."""
    source = f"""
        import subprocess, time
        from pathlib import Path

        def handler(event, context):
            child = subprocess.Popen(["sleep", "60"])
            Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
            time.sleep(60)
        """
    invocation = run(source, timeout=0.5)
    assert invocation.error.error_type == "FunctionTimeout"
    assert "0.5 s" in invocation.error.error_message
    assert 500 <= invocation.report.duration_ms < 5000
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_timeout_tells_where_the_function_was(run: Run) -> None:
    """A timeout has the frames in which the function was caught, waiting or busy."""
    source = """
        import time

        def handler(event, context):
            wait()

        def wait():
            {}
        """
    for statement in ("time.sleep(60)", "while True: pass"):
        error = run(source.replace("{}", statement), timeout=0.3).error
        assert error.error_type == "FunctionTimeout"
        assert [frame.partition("index.py")[2].split("\n")[0] for frame in error.stack_trace] == [
            '", line 5, in handler',
            '", line 8, in wait',
        ]
        assert statement in error.stack_trace[1]


def is_gone(pid: int) -> bool:
    """Whether the process is dead: no longer there, or (where one can tell) a zombie that nobody waits for."""
    state = Path(f"/proc/{pid}/stat")
    for _ in range(100):
        try:
            os.kill(pid, 0)
            if state.exists() and ") Z " in state.read_text():
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


def test_handler_that_catches_everything_is_killed_too(run: Run) -> None:
    """No function can refuse to be ended."""
    source = """
        import signal, time

        def handler(event, context):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                try:
                    time.sleep(60)
                except BaseException:
                    pass
        """
    assert run(source, timeout=0.3).error.error_type == "FunctionTimeout"


@needs_proc
def test_memory_at_a_timeout(run: Run) -> None:
    """What a function used is reported even when it was ended."""
    invocation = run("import time\n\ndef handler(event, context):\n    time.sleep(60)\n", timeout=0.3)
    assert invocation.report.max_memory_used_mb > 5


def test_function_that_prints_for_ever(run: Run, log: list[str]) -> None:
    """A flood of output does not keep the function alive."""
    invocation = run("def handler(event, context):\n    while True:\n        print('and on')\n", timeout=0.3)
    assert invocation.error.error_type == "FunctionTimeout"
    assert log[:2] == ["and on", "and on"]


def test_initializer_that_takes_too_long(run: Run) -> None:
    """The initializer has a timeout of its own."""
    source = """
        import time

        def initializer(context):
            time.sleep(60)

        def handler(event, context):
            pass
        """
    invocation = run(source, initializer="index.initializer", initializer_timeout=0.3)
    assert invocation.error.error_type == "FunctionInitTimeout"


def test_next_invocation_after_a_timeout(make_instance: Make, credentials: Credentials) -> None:
    """An instance that was ended is started anew."""
    source = """
        import time

        def handler(event, context):
            time.sleep(event["seconds"])
            return "done"
        """
    instance = make_instance(source, timeout=0.4)
    late, prompt = (instance.invoke(f'{{"seconds": {seconds}}}', credentials) for seconds in (60, 0))
    assert late.error.error_type == "FunctionTimeout"
    assert (prompt.result, prompt.report.cold_start) == ("done", True)


def test_process_left_behind_is_ended_with_the_instance(make_function: Make, credentials: Credentials) -> None:
    """A child that keeps the log open neither delays the answer nor survives the instance."""
    source = """
        import subprocess

        def handler(event, context):
            return subprocess.Popen(["sleep", "60"]).pid
        """
    with Instance(make_function(source), {}, "a-project") as instance:
        pid = instance.invoke("{}", credentials).result
    assert isinstance(pid, int)
    assert is_gone(pid)


def test_log_has_every_line_in_order(run: Run, log: list[str]) -> None:
    """What is printed to either stream is logged in order, up to the last line without a line end."""
    source = """
        import sys

        def handler(event, context):
            print("one\\ntwo")
            print("drei ä", file=sys.stderr)
            sys.stdout.buffer.write(b"no utf-8: \\xff\\n")
            print("end", end="")
        """
    assert run(source).ok
    assert log == ["one", "two", "drei ä", "no utf-8: \ufffd", "end"]


def test_log_of_an_invocation_is_complete_when_it_returns(
    make_instance: Make, credentials: Credentials, log: list[str]
) -> None:
    """Ten thousand lines are all there, before the next invocation's."""
    source = """
        def handler(event, context):
            for number in range(10_000):
                print(event["who"], number)
        """
    instance = make_instance(source)
    instance.invoke('{"who": "a"}', credentials)
    assert len(log) == 10_000
    instance.invoke('{"who": "b"}', credentials)
    assert log[10_000] == "b 0"


@needs_proc
def test_report(make_instance: Make, credentials: Credentials) -> None:
    """The report has durations, memory of the function alone, and whether the start was cold."""
    source = """
        import time

        def handler(event, context):
            time.sleep(0.05)
        """
    instance = make_instance(source, memory_size=128)
    cold, warm = (instance.invoke("{}", credentials).report for _ in range(2))
    assert (cold.cold_start, warm.cold_start) == (True, False)
    assert cold.init_duration_ms > 0
    assert warm.init_duration_ms is None
    assert 50 <= warm.duration_ms < 1000
    assert warm.billed_duration_ms == -(-warm.duration_ms // 1)
    assert 5 < warm.max_memory_used_mb < 40
    assert warm.memory_size_mb == 128
    assert warm.request_id != cold.request_id


@needs_proc
def test_nothing_stays_open(make_function: Make, credentials: Credentials) -> None:
    """An instance that was left has no process and no open file."""

    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    function = make_function("def handler(event, context):\n    return 1\n")
    before = files()
    with Instance(function, {}, "a-project") as instance:
        assert instance.invoke("{}", credentials).result == 1
    assert files() == before
