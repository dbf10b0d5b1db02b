"""``ddsbackup package``: the zip of each function, ready for FunctionGraph."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cli.errors import WrongCall
from cli.options import allow_file_option, template_option
from cli.package.model import PYTHONS
from cli.template.model import Template


@click.command(short_help="Build the zips that FunctionGraph runs.")
@click.argument("functions", metavar="[FUNCTION]...", nargs=-1)
@click.option(
    "--python",
    type=click.Choice(PYTHONS),
    help="Python version to build for. Default: the Runtime of each function in the template.",
)
@click.option("--full", is_flag=True, help="Pack all requirements as published. Larger, and starts slower.")
@click.option(
    "--without-byte-code",
    is_flag=True,
    help="Leave out byte code, which needs that Python on this machine. Cold starts take three to four times as long.",
)
@click.option("--no-cache", is_flag=True, help="Build anew, even if the same sources were packed before.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build"),
    show_default=True,
    metavar="FOLDER",
    help="Folder to write to.",
)
@click.option(
    "zip_file",
    "--verify",
    type=click.Path(path_type=Path),
    metavar="ZIP",
    help="Compare ZIP with the package that this checkout makes, and write nothing. Exit status 1 if they differ.",
)
@allow_file_option
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document: packages or differences.")
def package(
    functions: tuple[str, ...],
    python: str | None,
    full: bool,
    without_byte_code: bool,
    no_cache: bool,
    out: Path,
    zip_file: Path | None,
    allowed: tuple[str, ...],
    template_file: Path | None,
    as_json: bool,
) -> None:
    """Write FOLDER/<function>.zip for each FUNCTION in template.yaml, or for all of them.

    A zip has the function's entry file, shared/, the packages that requirements.txt pins and hashes (wheels for Linux
    on x86_64, downloaded with pip and cached), and byte code. What the functions never reach is left out. Next to each
    zip is its bill of materials, <function>.cdx.json (CycloneDX). The same sources give the same bytes, so packages are
    cached by the digest of their sources. FunctionGraph shows the SHA-512 of a zip as the digest of the code. A zip for
    another Python than the template's Runtime is called <function>-python3.12.zip.

    \b
      ddsbackup package
      ddsbackup package create_backup --python 3.12 --json
      ddsbackup package --verify create_backup.zip

    With --verify, the zip itself says which function it is, and for which Python it was packed. It can come from
    FunctionGraph: the files are compared, not the zip.
    """
    from cli.console import make_console
    from cli.package.build import build_packages, notices
    from cli.package.display import as_document, make_observer, make_progress, show
    from cli.preflight.display import valid_template
    from cli.preflight.report import check_template
    from cli.template.load import find_function, find_template
    from cli.template.model import FUNCTION

    template = valid_template(check_template(template_file or find_template()), as_json=as_json)
    if not template.functions:
        raise WrongCall(f"{template.file} has no function, expected a resource of type {FUNCTION}")
    if zip_file:
        if functions or python or full or without_byte_code:
            raise WrongCall(
                "--verify reads the function, its Python and what is packed from the zip: name only the zip"
            )
        _verify(zip_file, template, allowed, as_json=as_json)
        return
    chosen = [find_function(template, name) for name in functions] or template.functions
    console = make_console(stderr=True)
    with make_progress(console) as progress:
        observer = make_observer(console, progress)
        for notice in notices(chosen, python):
            observer.warn(notice)
        packages = build_packages(
            chosen,
            out=out,
            observer=observer,
            python=python,
            full=full,
            with_byte_code=not without_byte_code,
            reuse=not no_cache,
            allowed=allowed,
        )
    if as_json:
        print(json.dumps({"packages": [as_document(one) for one in packages]}))
    else:
        show(make_console(), packages)


def _verify(zip_file: Path, template: Template, allowed: Sequence[str], *, as_json: bool) -> None:
    """Compare *zip_file* with what the sources of *template* make, print the result, and exit with it."""
    from cli.console import make_console
    from cli.package.display import make_observer, make_progress, show_verification, verification_document
    from cli.package.verify import verify

    console = make_console(stderr=True)
    with make_progress(console) as progress:
        found = verify(zip_file, template, make_observer(console, progress), allowed)
    if as_json:
        print(json.dumps(verification_document(found)))
    else:
        show_verification(make_console(), found)
    sys.exit(1 if found.differences else 0)
