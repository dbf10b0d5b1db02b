"""The palette of troubles: faults that pass, services that are sick for a whole invocation, kills, clocks that jump."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.chaos.platform import NOTHING, Interference
from tests.deliveries import FAULTS


HANG = 30.0  # seconds, more than any invocation has
LOST = {
    "hangs after": {"delay": HANG},
    "dropped after": FAULTS["dropped after"],
    "truncated": FAULTS["truncated"],
    "garbled": FAULTS["garbled"],
}
"""Faults that lose the answer of a call that was carried out."""

PASSING = {**FAULTS, "hangs after": LOST["hangs after"], "hangs before": {"delay": HANG, "drop": "before"}}
LASTING = (
    "hangs before",
    "hangs after",
    "unavailable",
    "internal error",
    "throttled",
    "throttled with a pause",
    "dropped before",
    "dropped after",
    "truncated",
)
"""Faults of PASSING that may last for a whole invocation."""

SMN = "/publish$"
DDS = r"^/v3(\.1)?/[^/]+/(backups|instances|jobs)"
_CALLS: dict[str, tuple[dict[str, Any], ...]] = {
    "create_backup": (
        {"method": "GET", "path": "/backups$"},
        {"method": "POST", "path": "/backups$"},
        {"path": "/instances$"},
        {"path": "/jobs$"},
        {"path": SMN},
    ),
    "track_backups": ({"path": "/backups$"}, {"path": "/jobs$"}, {"path": SMN}),
    "prune_backups": (
        {"path": "/backups$"},
        {"path": "/jobs$"},
        {"method": "DELETE", "path": "/backups/"},
        {"path": SMN},
    ),
    "audit_backups": ({"path": "/backups$"}, {"path": "/instances$"}, {"path": SMN}),
    "drill_backups": (
        {"path": "/jobs$"},
        {"method": "GET", "path": "/instances$"},
        {"method": "POST", "path": "/instances$"},
        {"path": "/databases$"},
        {"path": "/tags/action$"},
        {"path": "/restart$"},
        {"method": "DELETE", "path": "/instances/"},
        {"path": "/(quotas|recycle-instances|backups)$"},
        {"path": SMN},
    ),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong during one delivery.

    Attributes:
        only_smn_is_sick: whether DDS is well and the invocation lives to its end.
    """

    name: str = "healthy"
    faults: list[dict[str, Any]] = field(default_factory=list)
    interference: Interference = NOTHING
    only_smn_is_sick: bool = False


HEALTHY = Trouble()


def draw_trouble(rng: Random, function: str) -> Trouble:
    """Draw what goes wrong during a delivery to `function`."""
    kind = rng.choices(("healthy", "passing", "lasting", "killed", "lost"), (10, 25, 15, 25, 25))[0]
    if kind == "passing":
        return passing(rng, function)
    if kind == "lasting":
        return lasting(rng)
    if kind == "killed":
        return killed(rng, function)
    return lost(rng) if kind == "lost" and function == "create_backup" else HEALTHY


def passing(rng: Random, function: str) -> Trouble:
    """Draw one to three faults, each of one or two calls."""
    names, faults = [], []
    for _ in range(rng.randint(1, 3)):
        name, call = rng.choice(sorted(PASSING)), rng.choice(_CALLS[function])
        nth = sorted(rng.sample(range(1, 6), rng.randint(1, 2)))
        names.append(f"{name} ({call.get('method', 'any')} {call['path']}, call {nth})")
        faults.append({**PASSING[name], **call, "nth": nth})
    return Trouble("; ".join(names), faults)


def lasting(rng: Random) -> Trouble:
    """Draw a service that is sick for the whole invocation: SMN, or less often DDS."""
    name, service = rng.choice(LASTING), rng.choices(("SMN", "DDS"), (3, 1))[0]
    fault = {**PASSING[name], "path": SMN if service == "SMN" else DDS}
    return Trouble(f"{service} {name} all the time", [fault], only_smn_is_sick=service == "SMN")


def killed(rng: Random, function: str) -> Trouble:
    """Draw a SIGKILL, at a call or after some time, sometimes with a fault that passes."""
    faults = passing(rng, function).faults if rng.random() < 0.3 else []
    if rng.random() < 0.7:
        call = rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 6, 8))
        return Trouble(f"killed at call {call}", faults, Interference(kill_at_call=call))
    after = round(rng.choice((0.005, 0.02, 0.1, 1.5)) * rng.uniform(0.5, 1.5), 3)
    return Trouble(f"killed after {after} s", faults, Interference(kill_after=after))


def lost(rng: Random) -> Trouble:
    """Draw answers to create calls that are lost after the call was carried out, while the cloud's clock jumps."""
    name, nth = rng.choice(sorted(LOST)), rng.choice(([1], [1], [1, 2], [2], [1, 3]))
    fault = {**LOST[name], "method": "POST", "path": "/backups$", "nth": nth}
    # The jump ends the backup, so that the instance is not busy if the function does not look before it tries again.
    interference = Interference(jump_at_create=nth[0], jump=float(rng.randint(2, 90)))
    return Trouble(f"create call {nth} {name}, the clock jumps {interference.jump:g} s", [fault], interference)
