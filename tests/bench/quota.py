"""A CPU quota for a process, by a cgroup of version 1 or 2. FunctionGraph limits the CPU of functions, too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


PERIOD = 100_000
"""The period of a quota in microseconds; the default of the kernel."""


class NoQuotaError(Exception):
    """This user cannot set a CPU quota on this machine."""


@contextmanager
def quota(cores: float) -> Iterator[list[str]]:
    """Yield a prefix for a command that limits it to `cores` cores, such as 0.3.

    Raises:
        NoQuotaError: no cgroup with a CPU quota can be made.
    """
    group = _make()
    try:
        if (group / "cpu.max").exists():
            (group / "cpu.max").write_text(f"{int(cores * PERIOD)} {PERIOD}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(int(cores * PERIOD)))
        yield ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs")]
    except OSError as error:
        raise NoQuotaError(f"no CPU quota can be set: {error}") from error
    finally:
        group.rmdir()


def _make() -> Path:
    for root in (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")):
        group = root / f"dds-backup-bench-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / "cpu.max").exists() or (group / "cpu.cfs_quota_us").exists():
            return group
        group.rmdir()
    raise NoQuotaError("no cgroup with a CPU controller can be made")
