"""No function outlives the process that started it, not even when that is killed."""

import fcntl
import os
import signal


def hang_on(lifeline: int) -> None:
    """Have the kernel kill this process and all that it started once the other end of *lifeline*, a pipe, is closed.

    Only Linux can do so. Elsewhere a function that is at work ends with its work.
    """
    os.set_inheritable(lifeline, False)
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_RDONLY | os.O_ASYNC)
