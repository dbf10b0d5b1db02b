"""The requirements files pin every package to one version and its hashes."""

from pathlib import Path

import pytest

from tests.supply_chain.pins import Pin, read_pins


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


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_the_pins_match_the_requested_packages(name: str) -> None:
    """A change of the .in file has to be followed by `make lock`."""
    asked = (ROOT / f"{name}.in").read_text(encoding="utf-8").splitlines()
    wanted = [line.split("#")[0].strip() for line in asked if line.strip() and line[0] not in "#-"]
    locked = {pin.name: pin for pin in read_pins(ROOT / f"{name}.txt")}

    for line in wanted:
        package, _, version = line.partition("==")
        pin = locked[package.partition("[")[0].lower()]
        assert not version or pin.version == version


def test_a_requirement_without_pin_or_hash_is_recognized(tmp_path: Path) -> None:
    """The other tests depend on it."""
    file = tmp_path / "requirements.txt"
    file.write_text(
        "# a comment\none==1.0 ; python_version < '3.11' \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd\ntwo>=2\n"
    )

    one, two = read_pins(file)

    assert (one.name, one.version, one.hashes) == ("one", "1.0", ("sha256:ab", "sha256:cd"))
    assert (two.version, two.hashes) == (None, ())
