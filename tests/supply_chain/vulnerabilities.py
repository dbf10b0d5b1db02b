"""Checks the pinned packages for known vulnerabilities with pip-audit."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tests.supply_chain.finding import Finding, Verdict
from tests.supply_chain.pins import Pin, read_pins


def audit_requirements(file: Path, options: Sequence[str] = ()) -> Finding:
    """Ask a vulnerability service about every pinned package, those for other Pythons and systems included.

    pip-audit exits with 0 if the service knows none of the packages, and with 1, as for a vulnerability, if it cannot
    reach the service. Its JSON output decides instead: a package that it skips is UNCHECKED and never CLEAN.

    Args:
        file: the requirements file.
        options: passed on to pip-audit, such as the service and its URL.
    """
    subject = f"known vulnerabilities of {file.name}"
    packages: list[dict[str, Any]] = []
    for pins in _rounds(read_pins(file)):
        done = _pip_audit(pins, options)
        try:
            packages += json.loads(done.stdout)["dependencies"]
        except ValueError:
            last = (done.stderr.strip().splitlines() or ["pip-audit printed nothing"])[-1]
            return Finding(subject, Verdict.UNCHECKED, (f"the vulnerability service could not be reached: {last}",))
    vulnerable = tuple(_line(package, known) for package in packages for known in package.get("vulns", ()))
    skipped = _skipped(packages)
    verdict = Verdict.FOUND if vulnerable else Verdict.UNCHECKED if skipped else Verdict.CLEAN
    return Finding(subject, verdict, (*vulnerable, *skipped))


def _rounds(pins: Iterable[Pin]) -> Iterator[list[Pin]]:
    """Yield lists that have each package once, since pip-audit accepts no two versions of a package."""
    versions: dict[str, list[Pin]] = {}
    for pin in pins:
        versions.setdefault(pin.name, []).append(pin)
    for of_all in zip_longest(*versions.values()):
        yield [pin for pin in of_all if pin]


def _pip_audit(pins: Iterable[Pin], options: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run pip-audit on the pins without their markers, since it skips packages for other Pythons."""
    lines = [" ".join((f"{pin.name}=={pin.version}", *(f"--hash={one}" for one in pin.hashes))) for pin in pins]
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "requirements.txt")
        file.write_text("\n".join(lines), encoding="utf-8")
        return subprocess.run(
            [*command, "--format=json", *options, f"--requirement={file}"], capture_output=True, text=True, check=False
        )


def _skipped(packages: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    names = [package["name"] for package in packages if "skip_reason" in package]
    if names and len(names) == len(packages):
        return (
            f"the vulnerability service knows none of the {len(names)} packages; it may be a mirror without this data",
        )
    return tuple(f"{name}: the vulnerability service does not know this version" for name in names)


def _line(package: dict[str, Any], known: dict[str, Any]) -> str:
    fixed = ", ".join(known["fix_versions"]) or "no version"
    return f"{package['name']} {package['version']}: {known['id']}, fixed in {fixed}"
