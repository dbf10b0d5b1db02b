"""`make bench`: what create_backup costs, as ratios to a baseline that is measured in the same run.

Every figure is the median of several runs, ours and the baseline's in turn; the ratio is what counts. Functions and
scripts run in processes of their own, against a local cloud in this one.
"""

import json
import os
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
from tests.bench.tls import https


HERE = Path(__file__).parent
INSTANCES = 200
LATENCY = 0.05
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One comparison; times in seconds."""

    name: str
    ours: float
    baseline: float
    note: str = ""


def fleet() -> Seed:
    """The built-in seed with 200 idle instances in place of its dozen."""
    instances = tuple(
        SeedInstance(id=f"{number:032x}in02", name=f"bench-{number}", mode="ReplicaSet", tags={})
        for number in range(INSTANCES)
    )
    return load_seed().model_copy(update={"instances": instances, "backups": ()})


def run(
    cloud: LocalCloud, script: str, instances: int, rounds: int, *, endpoint: str = "", bundle: Path | None = None
) -> dict[str, Any]:
    """Run a script on an idle cloud; what it reports of itself."""
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


def warm(cloud: LocalCloud, console: Console, folder: Path) -> list[Figure]:
    """One instance an event, the first event of each process left out; over HTTPS, as on the cloud, and plain."""

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

    plain = compare("time, to the plain SDK with the same calls", "rounds", "plain.py", "HTTP")
    http = compare("CPU over HTTP, to the naive function", "cpu", "naive.py", "HTTP", "to reach: 1")
    with https(cloud.url, folder) as (endpoint, bundle):
        tls = compare(
            "CPU over HTTPS, to the naive function",
            "cpu",
            "naive.py",
            "HTTPS",
            "to reach: 1",
            endpoint=endpoint,
            bundle=bundle,
        )
    return [plain, http, tls]


def fan_out(cloud: LocalCloud, console: Console) -> Figure:
    """200 instances in one event, every call 50 ms away."""
    times = {}
    for script, repeats in (("plain.py", 1), ("ours.py", 3)):
        measured = []
        for repeat in range(repeats):
            console.print(f"[dim]fan-out: {script} {repeat + 1}/{repeats}, {INSTANCES} instances[/dim]")
            cloud.reset()
            cloud.set_faults([{"delay": LATENCY}])
            measured.append(run(cloud, script, INSTANCES, 1)["rounds"][0])
        times[script] = statistics.median(measured)
    return Figure(
        "time of 200 instances, 50 ms a call, to the plain SDK", times["ours.py"], times["plain.py"], "to reach: 0.15"
    )


def calls(cloud: LocalCloud) -> str:
    """The calls of the last run, counted."""
    kinds = Counter(
        "publish" if request["path"].endswith("/publish") else {"GET": "list", "POST": "create"}[request["method"]]
        for request in cloud.requests()
    )
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))


def cold_starts(cloud: LocalCloud, progress: Console, packages: Packages) -> list[tuple[str, dict[str, Start] | str]]:
    """The packages' cold starts, without a quota and with two."""
    ours, naive, valid = packages.ours, packages.naive, packages.naive_valid
    candidates = (
        Candidate(ours.name, ours.root),
        Candidate(valid.name, valid.root),
        Candidate(naive.name, naive.root),
        Candidate("floor", ours.root, ("floor",)),
    )

    def tell(text: str) -> None:
        progress.print(f"[dim]cold start: {text}[/dim]")

    found: list[tuple[str, dict[str, Start] | str]] = [
        ("a whole core", median_starts(cloud, packages.python, candidates, 11, tell=tell))
    ]
    for cores in (0.3, 0.1):
        name = f"{cores} of a core"
        try:
            with quota(cores) as prefix:
                found.append((name, median_starts(cloud, packages.python, candidates, 3, tell=tell, prefix=prefix)))
        except NoQuotaError as error:
            found.append((name, f"not measured: {error}"))
    return found


def print_cold_starts(console: Console, packages: Packages, found: list[tuple[str, dict[str, Start] | str]]) -> None:
    """A table for each quota."""
    ours, naive, valid = packages.ours, packages.naive, packages.naive_valid
    for name, starts in found:
        if isinstance(starts, str):
            console.print(f"Cold start with {name}: {starts}")
            continue
        table = Table(title=f"Cold start, process start to the handler's answer, with {name} (medians)")
        for heading in ("", "time", "ours / this", "memory", "modules"):
            table.add_column(heading, justify="left" if not heading else "right")
        for candidate, start in starts.items():
            ratio = starts[ours.name].seconds / start.seconds
            goal = {valid.name: " (to reach: 0.55)", naive.name: " (to reach: 0.20)"}.get(candidate, "")
            memory = f"{start.kb * 1024 / MB:.1f} MB"
            table.add_row(candidate, f"{start.seconds * 1000:.0f} ms", f"{ratio:.3f}{goal}", memory, str(start.modules))
        console.print(table)
    console.print(f"Python: {packages.python}")
    console.print(f"Zip: {ours.zip_size / MB:.2f} MB (to reach: 7), naive {naive.zip_size / MB:.2f} MB")
    console.print(
        "Memory to reach: 45 MB. Floor: the same libraries from our package and the same calls, no code of ours."
    )


def main() -> None:
    """Measure and print."""
    progress, console = Console(stderr=True), Console(width=None if sys.stdout.isatty() else 110)
    with LocalCloud(seed=fleet()) as cloud, tempfile.TemporaryDirectory() as folder:
        progress.print("[dim]packing[/dim]")
        packages = pack(Path(folder))
        starts = cold_starts(cloud, progress, packages)
        figures = [*warm(cloud, progress, Path(folder)), fan_out(cloud, progress)]
        made = calls(cloud)
    print_cold_starts(console, packages, starts)
    table = Table(title=f"create_backup once it is warm, Python {sys.version.split()[0]} (medians)")
    for heading in ("", "create_backup", "baseline", "ratio", ""):
        table.add_column(heading, justify="left" if not heading else "right")
    for figure in figures:
        ours, baseline = f"{figure.ours * 1000:.1f} ms", f"{figure.baseline * 1000:.1f} ms"
        table.add_row(figure.name, ours, baseline, f"{figure.ours / figure.baseline:.3f}", figure.note)
    console.print(table)
    console.print("The naive function makes its clients anew for each event, and one call less.")
    console.print(f"API calls of the fan-out: {made}")


if __name__ == "__main__":
    main()
