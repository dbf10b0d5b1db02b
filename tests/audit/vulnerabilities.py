"""Known vulnerabilities of what a requirements file pins, by pip-audit."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.audit.finding import Finding, Verdict


def audit_requirements(file: Path, options: Sequence[str] = ()) -> Finding:
    """Ask a vulnerability service about every pin of the file that this interpreter installs.

    pip-audit ends with 0 when the service knows none of the packages, and with 1, as for a vulnerability, when it
    cannot be reached. So its document is read instead: what it has not judged is unchecked, and never clean.

    *options* are pip-audit's own: which service, and where it is.
    """
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"]
    done = subprocess.run(
        [*command, "--format=json", *options, f"--requirement={file}"], capture_output=True, text=True, check=False
    )
    subject = f"known vulnerabilities of {file.name}"
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        return Finding(subject, Verdict.UNCHECKED, (f"the vulnerability service could not be asked: {last}",))
    vulnerable = tuple(_line(package, known) for package in packages for known in package.get("vulns", ()))
    unjudged = _unjudged(packages)
    verdict = Verdict.FOUND if vulnerable else Verdict.UNCHECKED if unjudged else Verdict.CLEAN
    return Finding(subject, verdict, (*vulnerable, *unjudged))


def _unjudged(packages: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    names = [package["name"] for package in packages if "skip_reason" in package]
    if names and len(names) == len(packages):
        return (
            f"the vulnerability service knows none of the {len(names)} packages: is it a mirror without this data?",
        )
    return tuple(f"{name}: the vulnerability service does not know this version" for name in names)


def _line(package: dict[str, Any], known: dict[str, Any]) -> str:
    fixed = ", ".join(known["fix_versions"]) or "no version"
    return f"{package['name']} {package['version']}: {known['id']}, fixed in {fixed}"
