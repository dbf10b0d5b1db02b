"""Runs a command in a pseudo-terminal and returns what is on the screen at the end."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
from collections.abc import Collection, Mapping
from pathlib import Path
from time import monotonic


COLUMNS = 100
ROWS = 60
PATIENCE = 300.0
"""Seconds after which a running command counts as an error."""

_TOKEN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r\n|\n|\r|[^\x1b\r\n]+")


def run_in_terminal(
    command: str, answers: Mapping[str, str], cwd: Path, env: Mapping[str, str], statuses: Collection[int] = (0,)
) -> str:
    """Run a shell command and answer each question when it appears. Returns the whole output.

    Raises:
        TimeoutError: The command did not end in time, for example because it asks an unexpected question.
        RuntimeError: The exit status of the command is none of `statuses`.
    """
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {**env, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
    process = subprocess.Popen(
        ["bash", "-c", command], stdin=its, stdout=its, stderr=its, cwd=cwd, env=environment, start_new_session=True
    )
    os.close(its)
    written, answered, deadline = "", 0, monotonic() + PATIENCE
    try:
        while chunk := _read(ours, deadline):
            written += chunk
            for question, answer in answers.items():
                if question in written[answered:]:
                    answered = len(written)
                    os.write(ours, f"{answer}\n".encode())
    except TimeoutError as error:
        raise TimeoutError(f"{command} did not end within {PATIENCE:g} s:\n{written}") from error
    finally:
        os.close(ours)
        if process.poll() is None and monotonic() >= deadline:
            process.kill()
    if process.wait() not in statuses:
        raise RuntimeError(f"{command} ended with {process.returncode}:\n{written}")
    return written


def _read(terminal: int, deadline: float) -> str:
    """Return new output, or an empty text once the command has ended."""
    if not select.select([terminal], [], [], max(0.0, deadline - monotonic()))[0]:
        raise TimeoutError
    try:
        return os.read(terminal, 65_536).decode(errors="replace")
    except OSError:  # Linux raises it once the other end is closed
        return ""


def screen(written: str) -> list[str]:
    """Return the lines on the screen at the end, with their colours and without erased or overwritten text.

    Understands the cursor movements of rich: up, to the start of the line, erase the line.
    """
    lines, row, is_at_begin = [""], 0, False
    for token in _TOKEN.findall(written):
        if token in ("\n", "\r\n"):
            row, is_at_begin = row + 1, False
            lines += [""] * (row + 1 - len(lines))
        elif token == "\r":
            is_at_begin = True
        elif token.startswith("\x1b") and token.endswith("A"):
            row = max(0, row - int(token[2:-1] or 1))
        elif token.startswith("\x1b") and token.endswith("K"):
            lines[row], is_at_begin = "", False
        elif token.endswith("m") or not token.startswith("\x1b"):
            lines[row] = token if is_at_begin else lines[row] + token
            is_at_begin = False
    while lines and not lines[-1].strip():
        lines.pop()
    return lines
