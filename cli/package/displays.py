"""What one sees while packages are made: bars on a terminal, a line for each step otherwise."""

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.package.model import Observer


def make_observer(console: Console, progress: Progress) -> Observer:
    """Return what shows on *console*; *progress* has been started if it is a terminal."""
    return Bars(progress) if console.is_terminal else Lines(console)


def make_progress(console: Console) -> Progress:
    """Return the bars of a terminal; elsewhere they stay away."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


class Bars:
    """A bar for each step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def step(self, description: str, total: int) -> Callable[[], None]:
        bar = self._progress.add_task(description, total=total)
        return lambda: self._progress.advance(bar)

    def warn(self, text: str) -> None:
        self._progress.console.print(f"Warning: {text}", style="yellow", markup=False)


class Lines:
    """A line for each step, for a file or a pipeline's log."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def step(self, description: str, total: int) -> Callable[[], None]:  # noqa: ARG002 the description names it
        self._console.print(description, markup=False, soft_wrap=True)
        return lambda: None

    def warn(self, text: str) -> None:
        self._console.print(f"Warning: {text}", markup=False, soft_wrap=True)
