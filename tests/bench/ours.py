"""create_backup in its own process, loaded as FunctionGraph loads it.

Prints the seconds and the CPU seconds of each round.
"""

import importlib.util
import io
import json
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from context import Context  # type: ignore[import-not-found]  # beside this file


ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))


def load() -> Any:
    """Load the entry file without registering it as a module."""
    spec = importlib.util.spec_from_file_location("index", ROOT / "functions" / "create_backup" / "index.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


job = json.load(sys.stdin)
context = Context(job["connection"])
handler = load().handler
seconds, cpu = [], []
for number in range(job["rounds"]):
    context.round = number
    ids = job["connection"]["instance_ids"][number * job["instances"] :][: job["instances"]]
    with redirect_stdout(io.StringIO()):
        began, used = time.perf_counter(), time.process_time()
        report = handler({"instance_ids": ids}, context)
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    assert report["status"] == "SUCCEEDED", report
print(json.dumps({"rounds": seconds, "cpu": cpu}))  # noqa: T201 the answer
