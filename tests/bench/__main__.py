"""`make bench`: measures create_backup and compares it with baselines in the same run.

Each figure is the median of several runs, in which create_backup and the baseline alternate. Only the ratios can be
compared between machines. Functions and scripts run in their own processes, the local cloud in this one.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from localcloud import LocalCloud
from localcloud.seed import Seed, SeedInstance, load_seed
from tests.bench.packages import Packages, pack
from tests.bench.quota import NoQuotaError, quota
from tests.bench.starts import Candidate, Start, median_starts
from tests.bench.tls import https, listen


HERE = Path(__file__).parent
INSTANCES = 200
LATENCY = 0.05
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A comparison of create_backup with a baseline, in seconds."""

    name: str
    ours: float
    baseline: float
    note: str = ""


def fleet() -> Seed:
    """Return the built-in seed with 200 idle instances in place of its own."""
    instances = tuple(
        SeedInstance(id=f"{number:032x}in02", name=f"bench-{number}", mode="ReplicaSet", tags={})
        for number in range(INSTANCES)
    )
    return load_seed().model_copy(update={"instances": instances, "backups": ()})


def run(
    cloud: LocalCloud, script: str, instances: int, rounds: int, *, endpoint: str = "", bundle: Path | None = None
) -> dict[str, Any]:
    """Run a script against the local cloud. Returns the report that the script prints."""
    connection = cloud.connection() | ({"endpoint": endpoint} if endpoint else {})
    done = subprocess.run(
        [sys.executable, str(HERE / script)],
        input=json.dumps({"connection": connection, "instances": instances, "rounds": rounds}),
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parent.parent,
        env={**os.environ, **({"REQUESTS_CA_BUNDLE": str(bundle)} if bundle else {})},
    )
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stdout}{done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def warm(cloud: LocalCloud, console: Console, folder: Path, listener: socket.socket) -> list[Figure]:
    """Measure events with one instance, without the first event of each process, over HTTP and HTTPS."""

    def measure(script: str, name: str, where: str, **connection: Any) -> list[float]:
        found = []
        for repeat in range(3):
            console.print(f"[dim]warm, {where}: {script} {repeat + 1}/3[/dim]")
            cloud.reset()
            found.append(statistics.median(run(cloud, script, 1, 60, **connection)[name][1:]))
        return found

    def compare(title: str, name: str, baseline: str, where: str, note: str = "", **connection: Any) -> Figure:
        ours, theirs = (measure(script, name, where, **connection) for script in ("ours.py", baseline))
        return Figure(title, statistics.median(ours), statistics.median(theirs), note)

    plain = compare("time over HTTP, compared with the same calls of the plain SDK", "rounds", "plain.py", "HTTP")
    http = compare("CPU time over HTTP, compared with the naive function", "cpu", "naive.py", "HTTP", "target: 1")
    with https(cloud.url, folder, listener) as (endpoint, bundle):
        tls = compare(
            "CPU time over HTTPS, compared with the naive function",
            "cpu",
            "naive.py",
            "HTTPS",
            "target: 1",
            endpoint=endpoint,
            bundle=bundle,
        )
    return [plain, http, tls]


def many_instances(cloud: LocalCloud, console: Console) -> Figure:
    """Measure one event with 200 instances. Each call takes 50 ms."""
    times = {}
    for script, repeats in (("plain.py", 1), ("ours.py", 3)):
        measured = []
        for repeat in range(repeats):
            console.print(f"[dim]many instances: {script} {repeat + 1}/{repeats}, {INSTANCES} instances[/dim]")
            cloud.reset()
            cloud.set_faults([{"delay": LATENCY}])
            measured.append(run(cloud, script, INSTANCES, 1)["rounds"][0])
        times[script] = statistics.median(measured)
    return Figure(
        "time for 200 instances at 50 ms a call, compared with the plain SDK",
        times["ours.py"],
        times["plain.py"],
        "target: 0.15",
    )


def calls(cloud: LocalCloud) -> str:
    """Count the calls of the last run by kind."""
    kinds = Counter(
        "publish" if request["path"].endswith("/publish") else {"GET": "list", "POST": "create"}[request["method"]]
        for request in cloud.requests()
    )
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))


def cold_starts(cloud: LocalCloud, progress: Console, packages: Packages) -> list[tuple[str, dict[str, Start] | str]]:
    """Measure the cold starts of the packages, without a CPU quota and with two quotas."""
    ours, naive, valid = packages.ours, packages.naive, packages.naive_valid
    candidates = (
        Candidate(ours.name, ours.root),
        Candidate(valid.name, valid.root),
        Candidate(naive.name, naive.root),
        Candidate("floor", ours.root, ("floor",)),
    )

    def show(text: str) -> None:
        progress.print(f"[dim]cold start: {text}[/dim]")

    found: list[tuple[str, dict[str, Start] | str]] = [
        ("a whole core", median_starts(cloud, packages.python, candidates, 11, show=show))
    ]
    for cores in (0.3, 0.1):
        name = f"{cores} of a core"
        try:
            with quota(cores) as prefix:
                found.append((name, median_starts(cloud, packages.python, candidates, 3, show=show, prefix=prefix)))
        except NoQuotaError as error:
            found.append((name, f"not measured: {error}"))
    return found


def print_cold_starts(console: Console, packages: Packages, found: list[tuple[str, dict[str, Start] | str]]) -> None:
    """Print a table for each quota."""
    ours, naive, valid = packages.ours, packages.naive, packages.naive_valid
    for name, starts in found:
        if isinstance(starts, str):
            console.print(f"Cold start with {name}: {starts}")
            continue
        table = Table(title=f"Cold start with {name}, from the process start to the response of the handler (medians)")
        for heading in ("", "time", "ratio", "memory", "modules"):
            table.add_column(heading, justify="left" if not heading else "right")
        for candidate, start in starts.items():
            ratio = starts[ours.name].seconds / start.seconds
            goal = {valid.name: " (target: 0.55)", naive.name: " (target: 0.20)"}.get(candidate, "")
            memory = f"{start.kb * 1024 / MB:.1f} MB"
            table.add_row(candidate, f"{start.seconds * 1000:.0f} ms", f"{ratio:.3f}{goal}", memory, str(start.modules))
        console.print(table)
    console.print(f"Python: {packages.python}")
    console.print(f"Zip: {ours.zip_size / MB:.2f} MB (target: 7), naive {naive.zip_size / MB:.2f} MB")
    console.print(
        "The ratio is create_backup to this row. Target for memory: 45 MB. The floor makes the same calls with the "
        "libraries of the package and without the code of this project."
    )


def main() -> None:
    """Measure everything and print the tables."""
    progress, console = Console(stderr=True), Console(width=None if sys.stdout.isatty() else 110)
    listener, host = listen()
    with LocalCloud(seed=fleet(), allow_hosts=[host]) as cloud, tempfile.TemporaryDirectory() as folder:
        progress.print("[dim]packing[/dim]")
        packages = pack(Path(folder))
        starts = cold_starts(cloud, progress, packages)
        figures = [*warm(cloud, progress, Path(folder), listener), many_instances(cloud, progress)]
        made = calls(cloud)
    print_cold_starts(console, packages, starts)
    table = Table(title=f"Warm create_backup, Python {sys.version.split()[0]} (medians)")
    for heading in ("", "create_backup", "baseline", "ratio", ""):
        table.add_column(heading, justify="left" if not heading else "right")
    for figure in figures:
        ours, baseline = f"{figure.ours * 1000:.1f} ms", f"{figure.baseline * 1000:.1f} ms"
        table.add_row(figure.name, ours, baseline, f"{figure.ours / figure.baseline:.3f}", figure.note)
    console.print(table)
    console.print("The naive function creates its clients for each event and makes one call less.")
    console.print(f"API calls for 200 instances: {made}")


if __name__ == "__main__":
    main()
