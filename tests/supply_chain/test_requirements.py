"""The requirements files pin every package to one version and its hashes."""

import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.supply_chain.pins import Pin, read_pins


if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent.parent
DEPLOYED = read_pins(ROOT / "requirements.txt")
TOOLS = read_pins(ROOT / "requirements-dev.txt")


@pytest.mark.parametrize("pins", [DEPLOYED, TOOLS], ids=["deployed", "tools"])
def test_every_requirement_is_pinned_and_hashed(pins: list[Pin]) -> None:
    """The hashes are SHA-256."""
    assert pins
    assert [pin.name for pin in pins if pin.version is None] == []
    assert [pin.name for pin in pins if not pin.hashes or any(not h.startswith("sha256:") for h in pin.hashes)] == []


def test_all_packages_of_the_sdk_have_one_version() -> None:
    """They share modules."""
    sdk = {pin.version for pin in [*DEPLOYED, *TOOLS] if pin.name.startswith("huaweicloudsdk")}

    assert len(sdk) == 1


def test_the_tests_run_with_the_deployed_versions() -> None:
    """Both files have the same versions and hashes."""
    tools = {(pin.name, pin.version): pin.hashes for pin in TOOLS}

    for pin in DEPLOYED:
        assert tools[pin.name, pin.version] == pin.hashes


def test_the_lock_has_what_was_asked_for() -> None:
    """After a change of pyproject.toml, `make lock` has to run."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    asked = [
        (DEPLOYED, groups["functions"]),
        (TOOLS, [*project["project"]["dependencies"], *(one for one in groups["dev"] if isinstance(one, str))]),
    ]

    for pins, requirements in asked:
        locked = {(pin.name, pin.version) for pin in pins}
        for wanted in map(Requirement, requirements):
            versions = [version for name, version in locked if name == canonicalize_name(wanted.name)]
            assert versions
            assert all(wanted.specifier.contains(str(version)) for version in versions)


def test_a_requirement_without_pin_or_hash_is_recognized(tmp_path: Path) -> None:
    """The other tests depend on it."""
    file = tmp_path / "requirements.txt"
    file.write_text(
        "# a comment\none==1.0 ; python_version < '3.11' \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd\ntwo>=2\n"
    )

    one, two = read_pins(file)

    assert (one.name, one.version, one.hashes) == ("one", "1.0", ("sha256:ab", "sha256:cd"))
    assert (two.version, two.hashes) == (None, ())
