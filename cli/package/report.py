"""The packages that were made, for people and for programs."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cli.json_value import JsonObject
from cli.package.limits import MB, UPLOADS, fitting_uploads
from cli.package.model import Package


def as_document(package: Package) -> JsonObject:
    """Return *package* as a JSON object; sizes are bytes."""
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


def show(console: Console, packages: Sequence[Package]) -> None:
    """Write a table of *packages*, their digests as sha512sum writes them, and which ways to upload them there are."""
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
    console.print("\n" + ways_to_upload(packages), soft_wrap=True)


def ways_to_upload(packages: Sequence[Package]) -> str:
    """Return in words which ways take all of *packages*."""
    fitting = [set(fitting_uploads(package.size, package.unpacked_size)) for package in packages]
    return "Upload: " + ", ".join(
        f"{way.name} (at most {way.most // MB} MB) {'yes' if all(way in ways for ways in fitting) else 'too large'}"
        for way in UPLOADS
    )
