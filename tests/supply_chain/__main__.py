"""`make audit`: checks the code for weaknesses, and the pinned packages for licences and known vulnerabilities.

Exit status: 0 if nothing is found, 1 if something is found, 3 if nothing is found and a check could not be done.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from tests.supply_chain.finding import Finding, Verdict, worst
from tests.supply_chain.licences import audit_licences, installed_licences, load_allowed, names_of
from tests.supply_chain.source import audit_source
from tests.supply_chain.vulnerabilities import audit_requirements


ROOT = Path(__file__).parent.parent.parent
DEPLOYED = ROOT / "requirements.txt"
TOOLS = ROOT / "requirements-dev.txt"
SOURCE = ("shared", "functions", "cli", "localcloud")


def main() -> int:
    """Run every check and print its result."""
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__.splitlines()[0])
    parser.add_argument("--service", choices=("pypi", "osv"), default="pypi", help="The vulnerability service.")
    parser.add_argument("--osv-url", help="The URL of an OSV service of your own.")
    options = parser.parse_args()
    service = [f"--vulnerability-service={'osv' if options.osv_url else options.service}"]
    if options.osv_url:
        service.append(f"--osv-url={options.osv_url}")
    console = Console(highlight=False, markup=False, soft_wrap=True)
    verdicts = []
    for finding in _findings(service):
        console.print(f"{finding.verdict.name:9}  {finding.subject}", *finding.lines, sep="\n           ")
        verdicts.append(finding.verdict)
    verdict = worst(verdicts)
    if verdict is Verdict.UNCHECKED:
        console.print(
            "Nothing was found, but not everything could be checked. Run it where the service can be reached."
        )
    return int(verdict)


def _findings(service: list[str]) -> Iterator[Finding]:
    yield audit_source([ROOT / folder for folder in SOURCE])
    yield audit_licences(installed_licences(), load_allowed(), names_of(DEPLOYED), names_of(TOOLS))
    yield audit_requirements(DEPLOYED, service)
    yield audit_requirements(TOOLS, service)


if __name__ == "__main__":
    sys.exit(main())
