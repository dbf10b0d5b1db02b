"""Measures cold starts of packages, from the start of a process to the response of the handler."""

import json
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from localcloud import LocalCloud


COLD = str(Path(__file__).parent / "cold.py")


@dataclass(frozen=True, slots=True)
class Start:
    """A cold start: seconds to the response, and the memory in KB and imported modules at that moment."""

    seconds: float
    kb: int
    modules: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A package to start: its folder, and further arguments of cold.py."""

    name: str
    root: Path
    arguments: tuple[str, ...] = ()


def median_starts(
    cloud: LocalCloud,
    python: str,
    candidates: tuple[Candidate, ...],
    repeats: int,
    *,
    show: Callable[[str], None],
    prefix: Sequence[str] = (),
) -> dict[str, Start]:
    """Return the medians of each candidate. The candidates alternate, and `prefix` precedes each command.

    Python gets -B, so that the folder of a package stays as it was unpacked: on FunctionGraph it is read-only.
    """
    starts: dict[str, list[Start]] = {candidate.name: [] for candidate in candidates}
    for repeat in range(repeats):
        for candidate in candidates:
            show(f"{candidate.name} {repeat + 1}/{repeats}")
            cloud.reset()
            starts[candidate.name].append(_start(cloud, python, candidate, prefix))
    return {name: _median(found) for name, found in starts.items()}


def _start(cloud: LocalCloud, python: str, candidate: Candidate, prefix: Sequence[str]) -> Start:
    job = json.dumps(cloud.connection())
    command = [*prefix, python, "-I", "-S", "-B", COLD, str(candidate.root), *candidate.arguments]
    began = time.monotonic()
    done = subprocess.run(command, input=job, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise SystemExit(f"{candidate.name} failed:\n{done.stdout}{done.stderr}")
    report = json.loads(done.stdout.splitlines()[-1])
    return Start(report["answered"] - began, report["kb"], report["modules"])


def _median(found: list[Start]) -> Start:
    return Start(
        statistics.median(start.seconds for start in found),
        int(statistics.median(start.kb for start in found)),
        int(statistics.median(start.modules for start in found)),
    )
