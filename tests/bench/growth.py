"""CPU time of a redelivery by the number of instances, whose backups all exist: `python -m tests.bench.growth`.

DDS and SMN are fakes, so that only this application's work counts. The ratio to 1,000 instances shows how it grows.
"""

import time

from rich.console import Console
from rich.table import Table

from shared.create.report import Outcome
from shared.create.request import BackupRequest
from tests.fakes import FakeClock, FakeDds, make_creation, name_request


SIZES = (1_000, 2_000, 4_000, 10_000)
ROUNDS = 3


def redeliver(instances: tuple[str, ...]) -> float:
    """Find the backups of all instances and their job ids. Returns the seconds of CPU time."""
    clock = FakeClock()
    dds = FakeDds(clock, instances=instances)
    request = BackupRequest.model_construct(instance_ids=instances)
    names = name_request(request)
    for instance_id in instances:
        dds.add(instance_id, names.name(instance_id), names.description(""))
    clock.sleep(3600)
    creation = make_creation(dds, clock, request=request)
    started = time.process_time()
    found = [creation.back_up(instance_id) for instance_id in instances]
    spent = time.process_time() - started
    if not all(one.outcome is Outcome.ALREADY_EXISTS and one.job_id for one in found):
        raise SystemExit("not every backup and job was found")
    return spent


def main() -> None:
    """Measure each number of instances, and print a table."""
    table = Table(title="CPU of a redelivery: the backup and the job of every instance are found")
    for heading in ("instances", "CPU seconds", "ratio to 1,000"):
        table.add_column(heading, justify="right")
    base = 0.0
    for size in SIZES:
        ids = tuple(f"{number:032x}in02" for number in range(size))
        spent = min(redeliver(ids) for _ in range(ROUNDS))
        base = base or spent
        table.add_row(f"{size:,}", f"{spent:.2f}", f"{spent / base:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
