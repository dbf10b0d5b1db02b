"""How much memory a process has used at most."""

import re
import resource
import sys
from pathlib import Path


def peak_memory_mb(pid: int | None = None) -> int:
    """Return the peak resident memory in MB, rounded up, of this process or of *pid*; 0 where it is unknown.

    Linux tells it for any process. getrusage counts the parent's memory too: its peak outlives exec.
    """
    try:
        status = Path(f"/proc/{pid or 'self'}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0 if pid else _peak_from_rusage()
    peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return -(-int(peak[1]) // 1024) if peak else 0


def _peak_from_rusage() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return -(-peak // (1024 * 1024 if sys.platform == "darwin" else 1024))
