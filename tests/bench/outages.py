"""A topic that fails for a whole delivery, with DDS well and the default settings: `python -m tests.bench.outages`.

Prints the table of docs/create_backup.md in Markdown. The threads are real and time is simulated: it passes when every
thread waits. DDS is a fake that takes 0.2 seconds a call.
"""

import io
import json
import sys
import threading
import time
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import AmbiguousError, CloudError, ThrottledError, TransientError, UnfinishedEventError
from shared.model import NewBackup
from tests.create.platform import Platform
from tests.fakes import START, FakeClock, FakeDds
from tests.triggers import documented as doc


DDS_TAKES = 0.2  # seconds
_QUIET = 0.02  # seconds without a look at the clock after which every thread waits

OUTAGES: dict[str, tuple[float, CloudError | None]] = {
    "is well": (0.05, None),
    "hangs": (20.0, AmbiguousError("no answer")),
    "refuses connections": (0.0, TransientError("connection refused")),
    "answers 429": (0.05, ThrottledError("429", status=429)),
    "answers 503": (0.05, AmbiguousError("503", status=503)),
}
"""What SMN does for the whole of a delivery: the seconds that a call takes, and the error that it ends in."""


class QuietClock(FakeClock):
    """Simulated time that passes, to the first moment that a thread waits for, once all threads wait."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._waiting: list[float] = []
        self._touched = time.monotonic()

    def now(self) -> datetime:
        self._touched = time.monotonic()
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        self._touched = time.monotonic()
        return self.seconds

    def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        with self._changed:
            until = self.seconds + seconds
            self._waiting.append(until)
            self._touched = time.monotonic()
            while self.seconds < until:
                self._changed.wait(_QUIET)
                if until == min(self._waiting) and time.monotonic() - self._touched >= _QUIET:
                    self.seconds = max(self.seconds, until)
                    self._touched = time.monotonic()
                    self._changed.notify_all()
            self._waiting.remove(until)
            self._touched = time.monotonic()


class SlowDds(FakeDds):
    """A DDS whose create takes time, of several workers at once."""

    def create(self, instance_id: str, name: str, description: str) -> NewBackup:
        self.clock.sleep(DDS_TAKES)
        return super().create(instance_id, name, description)


@dataclass(frozen=True, slots=True)
class Outage:
    """What became of an event while SMN failed for its first delivery.

    Attributes:
        made: the backups made in the first delivery.
        last: the simulated seconds until the last of them began.
        took: the simulated seconds of the first delivery.
        announced: the instances announced once the first redelivery with a healthy SMN is over.
    """

    instances: int
    made: int
    last: float
    took: float
    announced: int


def deliver(kind: str, instances: int) -> Outage:
    """Deliver an event with so many instances during an outage of SMN, and once more when SMN is well."""
    platform = Platform(instances, SlowDds, QuietClock(), MAX_CONCURRENCY="8")
    seconds, error = OUTAGES[kind]

    def answer(call: str) -> None:
        platform.clock.sleep(seconds)
        if error:
            raise error

    event = doc.smn(doc.smn_record(json.dumps({"instance_ids": platform.ids})))
    platform.topic.outage = answer
    with redirect_stdout(io.StringIO()), suppress(UnfinishedEventError):  # the log
        platform.deliver(event)
    made, took = list(platform.dds.backups), platform.clock.seconds
    last = max((b.begin_time - START).total_seconds() for b in made if b.begin_time)
    platform.topic.outage = None
    if error:
        platform.clock.sleep(60)
        with redirect_stdout(io.StringIO()):
            platform.deliver(event)
    announced = {
        json.loads(note.body)["subject"] for note in platform.topic.sent if "started" in json.loads(note.body)["type"]
    }
    return Outage(instances, len({b.instance_id for b in made}), last, took, len(announced))


def main() -> int:
    """Print the table; the exit code is 1 if a backup or an announcement is missing."""
    rows = [
        "| SMN | Instances | Backups in first delivery | Last begins after | Ratio to a healthy topic | Announced |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    is_whole = True
    for instances in (50, 200):
        healthy = 0.0
        for kind in OUTAGES:
            found = deliver(kind, instances)
            healthy = healthy or found.last
            is_whole &= found.made == found.announced == instances
            ratio = found.last / healthy
            rows.append(
                f"| {kind} | {instances} | {found.made} | {found.last:.1f} s | {ratio:.2f} | {found.announced} |"
            )
            sys.stderr.write(f"{kind}, {instances}: the first delivery took {found.took:.0f} s\n")
    sys.stdout.write("\n".join(rows) + "\n")
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
