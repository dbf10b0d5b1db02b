"""The progress of packaging, and the packages as a table and as JSON."""

from collections import Counter
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cli.json_value import JsonObject
from cli.package.archive import MB, UPLOADS, fitting_uploads
from cli.package.model import Observer, Origin, Package
from cli.package.verify import Verification


def make_progress(console: Console) -> Progress:
    """Return progress bars, which are disabled if *console* is not a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def make_observer(console: Console, progress: Progress) -> Observer:
    """Return an observer that shows *progress* on a terminal, and prints lines elsewhere."""
    return Bars(progress) if console.is_terminal else Lines(console)


class Bars:
    """Shows a progress bar for each step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def step(self, description: str, total: int) -> Callable[[], None]:
        bar = self._progress.add_task(description, total=total)
        return lambda: self._progress.advance(bar)

    def warn(self, text: str) -> None:
        self._progress.console.print(f"Warning: {text}", style="yellow", markup=False)


class Lines:
    """Prints a line for each step, for a file or the log of a pipeline."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def step(self, description: str, total: int) -> Callable[[], None]:  # noqa: ARG002 the description has it
        self._console.print(description, markup=False, soft_wrap=True)
        return lambda: None

    def warn(self, text: str) -> None:
        self._console.print(f"Warning: {text}", markup=False, soft_wrap=True)


def show(console: Console, packages: Sequence[Package]) -> None:
    """Print a table of *packages*, their digests in the format of sha512sum, and the ways to upload them."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("Package", "Python", "Size", "Files"):
        table.add_column(heading, justify="right" if heading in {"Size", "Files"} else "left", overflow="fold")
    for package in packages:
        size = f"{package.size / MB:.1f} MB"
        table.add_row(str(package.path), package.python, size, str(package.files))
    console.print(table)
    console.print("\nSHA-512, which FunctionGraph shows as the digest:", style="dim")
    for package in packages:
        console.print(f"{package.digest}  {package.path}", markup=False, soft_wrap=True)
    console.print("\n" + _uploads(packages), soft_wrap=True)


def _uploads(packages: Sequence[Package]) -> str:
    fitting = [set(fitting_uploads(package.size, package.unpacked_size)) for package in packages]
    return "Upload: " + ", ".join(
        f"{way.name} (at most {way.most // MB} MB) {'yes' if all(way in ways for ways in fitting) else 'too large'}"
        for way in UPLOADS
    )


def as_document(package: Package) -> JsonObject:
    """Return *package* as a JSON object. Sizes are in bytes."""
    return {
        "function": package.function.name,
        "python": package.python,
        "path": str(package.path),
        "sbom": str(package.sbom),
        "size": package.size,
        "files": package.files,
        "unpacked_size": package.unpacked_size,
        "digest": package.digest,
        "uploads": [way.name for way in fitting_uploads(package.size, package.unpacked_size)],
    }


MOST_ROWS = 40
"""Differences in the table. JSON has all of them."""


def show_verification(console: Console, found: Verification) -> None:
    """Print a table of the differences, or one line if there are none."""
    said = found.statement
    what = f"the package of {said.function} for Python {said.python} that this checkout makes"
    if not found.differences:
        console.print(f"{found.path} has the {found.package.files} files of {what}.", markup=False, soft_wrap=True)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("File", "Change", "Origin", "Meaning"):
        table.add_column(heading, overflow="fold")
    for one in found.differences[:MOST_ROWS]:
        origin = one.origin or Origin("-")
        where = origin.of if origin.kind in {"unchanged", "changed"} else origin.kind
        table.add_row(
            *(Text(cell) for cell in (one.path.encode("unicode_escape").decode(), one.change, where, one.meaning))
        )
    console.print(table)
    if len(found.differences) > MOST_ROWS:
        console.print(f"... and {len(found.differences) - MOST_ROWS} more, which --json lists.")
    for note in found.notes:
        console.print(f"Note: {note}", markup=False, soft_wrap=True)
    counts = Counter(one.change for one in found.differences)
    total = ", ".join(f"{count} {change}" for change, count in counts.items())
    console.print(f"\n{found.path} is not {what}: {total}.", markup=False, soft_wrap=True)


def verification_document(found: Verification) -> JsonObject:
    """Return the result of a comparison as a JSON object."""
    return {
        "path": str(found.path),
        "function": found.statement.function,
        "python": found.statement.python,
        "requirements": "full" if found.statement.is_full else "slim",
        "byte_code": found.statement.compiled_by or None,
        "digest": found.digest,
        "expected_digest": found.package.digest,
        "files": found.package.files,
        "identical": not found.differences,
        "differences": [
            {
                "path": one.path,
                "change": one.change,
                "origin": one.origin.kind if one.origin else None,
                "of": (one.origin and one.origin.of) or None,
                "meaning": one.meaning,
            }
            for one in found.differences
        ],
        "notes": [*found.notes],
    }
