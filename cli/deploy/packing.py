"""The packages that are deployed, made with progress on standard error."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from cli.console import make_console
from cli.package.build import build_packages
from cli.package.model import Package
from cli.template.model import Function


OUT = Path("build")


class Steps:
    """Tells how packaging gets on: a bar for each step."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress

    def step(self, description: str, total: int) -> Callable[[], None]:
        """Show a step of *total* parts."""
        task = self._progress.add_task(description, total=total)
        return lambda: self._progress.advance(task)

    def warn(self, text: str) -> None:
        """Print what the user should know."""
        self._console.print(Text(text, style="yellow"), soft_wrap=True)


def pack(functions: Sequence[Function], python: str | None) -> Mapping[str, Package]:
    """Write the packages to ``build`` and return them by the functions' names. Raises PackagingFailed."""
    console = make_console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        packages = build_packages(functions, out=OUT, observer=Steps(console, progress), python=python)
    return {package.function.name: package for package in packages}
