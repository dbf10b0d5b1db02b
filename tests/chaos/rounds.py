"""Rounds: drawn from the seed and their number alone, played on a platform, and judged by the oracle."""

import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from random import Random
from typing import Any, Protocol

from tests.chaos.audit import AuditRound
from tests.chaos.create import CreateRound
from tests.chaos.drill import DrillRound
from tests.chaos.oracle import Violation
from tests.chaos.platform import Platform
from tests.chaos.prune import PruneRound
from tests.chaos.track import TrackRound


class Round(Protocol):
    """A round as it is drawn."""

    def play(self, platform: Platform, story: list[str]) -> Iterator[Violation]:
        """Play it, tell the story, and yield what breaks a rule."""


KINDS: dict[str, tuple[int, Any]] = {
    "create": (10, CreateRound.draw),
    "track": (2, TrackRound.draw),
    "prune": (5, PruneRound.draw),
    "audit": (4, AuditRound.draw),
    "drill": (4, DrillRound.draw),
}
"""The kinds of rounds: how often each comes, and how it is drawn."""


@dataclass(frozen=True, slots=True)
class Played:
    """A round that was played.

    Attributes:
        story: what happened, a line each.
        logs: the log of each delivery, a line each.
        counts: deliveries, kills, and calls on which a fault acted.
    """

    number: int
    kind: str
    seconds: float
    violations: list[Violation]
    story: list[str]
    logs: list[str]
    counts: dict[str, int]


@dataclass(slots=True)
class Totals:
    """What a run amounts to."""

    seed: int
    rounds: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    failed: list[Played] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, played: Played) -> None:
        """Count a round."""
        self.rounds[played.kind] = self.rounds.get(played.kind, 0) + 1
        for name, count in played.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count
        if played.violations:
            self.failed.append(played)


def draw(seed: int, number: int, kinds: Sequence[str]) -> tuple[str, Round]:
    """Draw a round. The same seed, number and kinds always give the same round."""
    rng = Random(f"{seed}/{number}")
    kind = rng.choices(kinds, [KINDS[kind][0] for kind in kinds])[0]
    drawn: Round = KINDS[kind][1](Random(f"{seed}/{number}/{kind}"), str(number))
    return kind, drawn


def play(platform: Platform, seed: int, number: int, kinds: Sequence[str]) -> Played:
    """Draw and play a round."""
    kind, drawn = draw(seed, number, kinds)
    began, story = time.monotonic(), list[str]()
    violations: list[Violation] = []
    try:
        violations.extend(drawn.play(platform, story))
    except Exception:  # noqa: BLE001 the story of a round that the harness cannot play matters, too
        violations.append(Violation("harness", traceback.format_exc()))
    finally:
        platform.cloud.set_faults([])
    deliveries = platform.deliveries
    counts = {
        "deliveries": len(deliveries),
        "killed": sum(delivery.was_killed for delivery in deliveries),
        "calls": sum(len(delivery.calls) for delivery in deliveries),
        "spoilt calls": sum(call["fault"] is not None for delivery in deliveries for call in delivery.calls),
    }
    logs = [line for delivery in deliveries for line in (f"== {delivery.describe()}", *delivery.log)]
    return Played(number, kind, time.monotonic() - began, violations, story, logs, counts)


def run(
    code: Path, seed: int, kinds: Sequence[str], numbers: Iterator[int], *, minutes: float, workers: int
) -> Iterator[Played]:
    """Play rounds until the time is over, `workers` at a time, each worker on a platform of its own.

    Stops after a round with a violation, as soon as the other workers have finished theirs.
    """
    until = time.monotonic() + minutes * 60
    with ExitStack() as stack:
        platforms: SimpleQueue[Platform] = SimpleQueue()
        for _ in range(workers):
            platforms.put(stack.enter_context(Platform(code)))
        pool = stack.enter_context(ThreadPoolExecutor(workers))

        def one(number: int) -> Played:
            platform = platforms.get()
            try:
                return play(platform, seed, number, kinds)
            finally:
                platforms.put(platform)

        running: set[Future[Played]] = set()
        stop = False
        while True:
            while not stop and len(running) < workers and time.monotonic() < until:
                number = next(numbers, None)
                if number is None:
                    break
                running.add(pool.submit(one, number))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                played = future.result()
                stop = stop or bool(played.violations)
                yield played
