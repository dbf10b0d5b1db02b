"""All licences are on the list, and the check notices others."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.supply_chain.finding import Finding, Verdict
from tests.supply_chain.licences import Allowed, audit_licences, installed_licences, load_allowed, names_of


ROOT = Path(__file__).parent.parent.parent
ALLOWED = Allowed(deployed={"MIT": "fine"}, tools={"GPL-3.0-only": "not distributed"}, spellings={"MIT License": "MIT"})


def test_the_licences_of_this_environment_are_allowed() -> None:
    """The check covers every deployed package and every tool."""
    deployed, tools = names_of(ROOT / "requirements.txt"), names_of(ROOT / "requirements-dev.txt")
    installed = installed_licences()

    finding = audit_licences(installed, load_allowed(), deployed, tools)

    assert finding.verdict is Verdict.CLEAN, finding.lines


def test_every_allowed_licence_has_a_reason() -> None:
    """Every other spelling means an allowed licence."""
    allowed = load_allowed()

    assert all({**allowed.deployed, **allowed.tools}.values())
    assert set(allowed.spellings.values()) <= {*allowed.deployed, *allowed.tools}


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("MIT License", True),
        ("MIT OR LGPL-2.1-only", True),
        ("MIT AND LGPL-2.1-only", False),
        ("MIT License; GNU General Public License (GPL)", False),
        ("UNKNOWN", False),
    ],
)
def test_expressions_of_licences(licence: str, *, allowed: bool) -> None:
    """One licence joined by OR has to be allowed, and all joined by AND."""
    assert ALLOWED.permits(licence, ALLOWED.deployed) is allowed


def test_a_licence_for_tools_only_is_not_deployed() -> None:
    """The package is allowed as a tool and not as a deployed package."""
    installed = {"copyleft": "GPL-3.0-only", "of-another-system": "UNKNOWN", "fine": "MIT"}

    assert audit_licences(installed, ALLOWED, {"fine"}, {"copyleft"}) == Finding("licences", Verdict.CLEAN)
    finding = audit_licences(installed, ALLOWED, {"copyleft", "fine"}, {"copyleft"})
    assert (finding.verdict, finding.lines) == (
        Verdict.FOUND,
        ("copyleft (deployed): GPL-3.0-only is not in licences.yaml",),
    )


def test_a_deployed_package_has_to_be_installed_for_the_check() -> None:
    """A tool may be for another Python, so it is only named."""
    installed = {"fine": "MIT"}

    tool = audit_licences(installed, ALLOWED, {"fine"}, {"for-windows"})
    deployed = audit_licences(installed, ALLOWED, {"fine", "missing"}, set())

    assert (tool.verdict, deployed.verdict) == (Verdict.CLEAN, Verdict.UNCHECKED)
    assert tool.lines == ("not installed, so not checked: for-windows",)


def test_a_tool_may_state_its_licence_in_its_files_only() -> None:
    """A deployed package may not, and a licence that the metadata states is the one that counts."""
    allowed = replace(ALLOWED, unstated={"quiet": "MIT"})

    assert audit_licences({"quiet": "UNKNOWN"}, allowed, set(), {"quiet"}).verdict is Verdict.CLEAN
    assert audit_licences({"quiet": "UNKNOWN"}, allowed, {"quiet"}, set()).verdict is Verdict.FOUND
    assert audit_licences({"quiet": "AGPL-3.0-only"}, allowed, set(), {"quiet"}).verdict is Verdict.FOUND
    assert audit_licences({"other": "UNKNOWN"}, allowed, set(), {"other"}).verdict is Verdict.FOUND
