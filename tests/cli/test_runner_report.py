"""Log and report of an instance, which leaves nothing else behind."""

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


def test_log_has_every_line_in_order(run: Run, log: list[str]) -> None:
    """The log has the lines of both streams in order, even a last line without a line end."""
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
    """All ten thousand lines come before those of the next invocation."""
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
    """The report has the durations, the memory of the function alone, and whether it was a cold start."""
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
    """A closed instance has no process and no open file."""

    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    function = make_function("def handler(event, context):\n    return 1\n")
    before = files()
    with Instance(function_spec(function), {}, "a-project") as instance:
        assert instance.invoke("{}", credentials).result == 1
    assert files() == before
