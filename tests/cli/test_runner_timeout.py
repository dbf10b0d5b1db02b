"""A function that exceeds its timeout is killed with all the processes that it started."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.functions import function_spec
from localcloud.functiongraph.runtime.instance import Instance
from localcloud.functiongraph.runtime.model import Credentials


Run = Callable[..., Any]
Make = Callable[..., Any]


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")


def test_timeout_ends_the_function_and_its_children(run: Run, tmp_path: Path) -> None:
    """The timeout kills the process and its children."""
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
    """The error has the current frames of the function, whether it waits or computes."""
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
    """Whether the process has ended, or is a zombie (on Linux)."""
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
    """A function cannot refuse to end."""
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
    """The report of a killed function has its memory."""
    invocation = run("import time\n\ndef handler(event, context):\n    time.sleep(60)\n", timeout=0.3)
    assert invocation.report.max_memory_used_mb > 5


def test_function_that_prints_for_ever(run: Run, log: list[str]) -> None:
    """Constant output does not keep the function alive."""
    invocation = run("def handler(event, context):\n    while True:\n        print('and on')\n", timeout=0.3)
    assert invocation.error.error_type == "FunctionTimeout"
    assert log[:2] == ["and on", "and on"]


def test_initializer_that_takes_too_long(run: Run) -> None:
    """The initializer has its own timeout."""
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
    """A killed instance is started again."""
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
    """A child that keeps the log open neither delays the result nor survives the instance."""
    source = """
        import subprocess

        def handler(event, context):
            return subprocess.Popen(["sleep", "60"]).pid
        """
    with Instance(function_spec(make_function(source)), {}, "a-project") as instance:
        pid = instance.invoke("{}", credentials).result
    assert isinstance(pid, int)
    assert is_gone(pid)
