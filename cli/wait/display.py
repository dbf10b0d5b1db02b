"""Progress while waiting: bars on a terminal, otherwise a line for each change. And the result, as a line."""

from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from typing_extensions import Self

from shared.errors import CloudError
from shared.format import duration, size
from shared.track.report import Answer, BackupProgress, State


class Display(Protocol):
    """Shows the progress within its ``with`` block. *seconds* is the time since the start."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
    def answered(self, answer: Answer, seconds: float) -> None: ...
    def failed(self, error: CloudError, seconds: float) -> None: ...


class Bars:
    """A progress bar for each backup, on a terminal."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
        self._progress = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def answered(self, answer: Answer, seconds: float) -> None:  # noqa: ARG002 a column shows the elapsed time
        if not answer.backups:
            self._show("", "DDS", "not listed yet", None)
        elif "" in self._bars:
            self._progress.remove_task(self._bars.pop(""))
        for backup in answer.backups:
            done = 100.0 if backup.state is State.COMPLETED else _percent(backup.progress)
            said = backup.progress or backup.state.value
            self._show(_key(backup), _name(backup), said, done)

    def failed(self, error: CloudError, seconds: float) -> None:
        self._progress.console.print(_failed_call(error, seconds), style="yellow", markup=False, soft_wrap=True)

    def _show(self, key: str, description: str, said: str, done: float | None) -> None:
        if key not in self._bars:
            self._bars[key] = self._progress.add_task(description, total=None, said=said)
        total = None if done is None else 100.0
        self._progress.update(self._bars[key], description=description, said=said, total=total, completed=done or 0.0)


class Lines:
    """A line for each change, for files and the logs of pipelines."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def answered(self, answer: Answer, seconds: float) -> None:
        texts = [f"{_name(backup)} {backup.state.value} {backup.progress or ''}" for backup in answer.backups]
        for text in texts or ["DDS does not list it yet"]:
            if text not in self._said:
                self._said.add(text)
                self._print(f"{seconds:6.0f} s  {text.rstrip()}")

    def failed(self, error: CloudError, seconds: float) -> None:
        self._print(_failed_call(error, seconds))

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def verdict(backup: BackupProgress) -> str:
    """Return state, name, ids, size, duration and reason of a backup, as far as they are known, on one line."""
    parts = [backup.state.value, _name(backup)]
    if backup.facts["backup_id"]:
        parts.append(f"backup {backup.facts['backup_id']}")
    if backup.facts.get("size") is not None:
        parts.append(size(backup.facts["size"]))
    if backup.facts.get("duration") is not None:
        parts.append(duration(backup.facts["duration"]))
    return "  ".join([*parts, *filter(None, (backup.progress, backup.reason))])


def _failed_call(error: CloudError, seconds: float) -> str:
    return f"{seconds:6.0f} s  no answer ({error.code}: {error}), trying again"


def _name(backup: BackupProgress) -> str:
    """Return the name of the instance and of the backup, or the job id if the backup is not known yet."""
    facts = backup.facts
    if not facts["backup_id"]:
        return f"job {facts['job_id']}"
    return f"{facts['instance_name'] or facts['instance_id']} {facts['name']}"


def _key(backup: BackupProgress) -> str:
    return str(backup.facts["backup_id"] or backup.facts["job_id"])


def _percent(progress: str | None) -> float | None:
    number = (progress or "").removesuffix("%")
    return float(number) if number.isdecimal() else None
