"""`make bench`: create_backup against the plain SDK doing the same calls one after the other, in the same run.

Each figure is the median of several runs, ours and the plain SDK's in turn; the ratio is what counts. The function and
the plain script run in processes of their own, against a local cloud in this one.
"""

import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from localcloud import LocalCloud
from localcloud.seed import Seed, SeedInstance, load_seed


HERE = Path(__file__).parent
INSTANCES = 200
LATENCY = 0.05


@dataclass(frozen=True, slots=True)
class Figure:
    """One comparison; times in seconds."""

    name: str
    ours: float
    plain: float
    note: str = ""


def fleet() -> Seed:
    """The built-in seed with 200 idle instances in place of its dozen."""
    instances = tuple(
        SeedInstance(id=f"{number:032x}in02", name=f"bench-{number}", mode="ReplicaSet", tags={})
        for number in range(INSTANCES)
    )
    return load_seed().model_copy(update={"instances": instances, "backups": ()})


def run(cloud: LocalCloud, script: str, instances: int, rounds: int) -> tuple[float, dict[str, Any]]:
    """Run a script on an idle cloud: the seconds of its whole process, and what it reports of itself."""
    job = {"connection": cloud.connection(), "instances": instances, "rounds": rounds}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(HERE / script)],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parent.parent,
    )
    took = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stdout}{done.stderr}")
    return took, json.loads(done.stdout.splitlines()[-1])


def compare(cloud: LocalCloud, console: Console, name: str, *, repeats: int, instances: int, rounds: int) -> Figure:
    """Ours and plain in turn. With several rounds a process, only the warm ones count, else the whole process."""
    times: dict[str, list[float]] = {"ours.py": [], "plain.py": []}
    for repeat in range(repeats):
        for script, seconds in times.items():
            console.print(f"[dim]{name}: {script} {repeat + 1}/{repeats}[/dim]")
            cloud.reset()
            took, report = run(cloud, script, instances, rounds)
            seconds.append(statistics.median(report["rounds"][1:]) if rounds > 1 else took)
    return Figure(name, statistics.median(times["ours.py"]), statistics.median(times["plain.py"]))


def fan_out(cloud: LocalCloud, console: Console) -> Figure:
    """200 instances in one event, every call 50 ms away."""
    times = {}
    for script, repeats in (("plain.py", 1), ("ours.py", 3)):
        measured = []
        for repeat in range(repeats):
            console.print(f"[dim]fan-out: {script} {repeat + 1}/{repeats}, {INSTANCES} instances[/dim]")
            cloud.reset()
            cloud.set_faults([{"delay": LATENCY}])
            measured.append(run(cloud, script, INSTANCES, 1)[1]["rounds"][0])
        times[script] = statistics.median(measured)
    return Figure("fan-out, 200 instances", times["ours.py"], times["plain.py"], "to reach: 0.15")


def calls(cloud: LocalCloud) -> str:
    """The calls of the last run, counted."""
    kinds = Counter(
        "publish" if request["path"].endswith("/publish") else {"GET": "list", "POST": "create"}[request["method"]]
        for request in cloud.requests()
    )
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))


def main() -> None:
    """Measure and print."""
    progress, console = Console(stderr=True), Console()
    with LocalCloud(seed=fleet()) as cloud:
        figures = [
            compare(cloud, progress, "cold start, whole process", repeats=9, instances=1, rounds=1),
            compare(cloud, progress, "warm invocation", repeats=3, instances=1, rounds=60),
            fan_out(cloud, progress),
        ]
        made = calls(cloud)
    table = Table(title="create_backup against the plain SDK, same calls one after the other (medians)")
    for heading in ("", "create_backup", "plain SDK", "ratio", ""):
        table.add_column(heading, justify="left" if not heading else "right")
    for figure in figures:
        ours, plain = f"{figure.ours * 1000:.1f} ms", f"{figure.plain * 1000:.1f} ms"
        table.add_row(figure.name, ours, plain, f"{figure.ours / figure.plain:.3f}", figure.note)
    console.print(table)
    console.print(f"API calls of the fan-out: {made}")


if __name__ == "__main__":
    main()
