"""The written configuration as a table with the next steps, and as JSON."""

import os.path
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.json_value import JsonObject
from cli.terraform.configuration import Configuration


def as_document(
    made: Configuration,
    files: Sequence[Path],
    missing: Sequence[str],
    notes: Sequence[str],
    warnings: Sequence[str],
) -> JsonObject:
    """Return the configuration as a JSON object."""
    return {
        "files": [str(file) for file in files],
        "resources": [resource.address for resource in made.resources],
        "required_variables": [variable.name for variable in made.variables if variable.is_required],
        "missing_packages": [*missing],
        "by_hand": [*notes],
        "warnings": [*warnings],
    }


def show(
    results: Console,
    remarks: Console,
    made: Configuration,
    files: Sequence[Path],
    missing: Sequence[str],
    notes: Sequence[str],
) -> None:
    """Print the resources and the files to *results*, and what is left to do to *remarks*."""
    table = Table(box=None, pad_edge=False)
    table.add_column("Resource", no_wrap=True)
    table.add_column("Names")
    by_type: dict[str, list[str]] = {}
    for resource in made.resources:
        by_type.setdefault(resource.type, []).append(resource.name)
    for kind, names in by_type.items():
        table.add_row(kind, ", ".join(names))
    results.print(table)
    results.print(Text.assemble("\nWrote ", (", ".join(str(file) for file in files), "bold")), soft_wrap=True)
    for sentence in notes:
        remarks.print(Text.assemble(("By hand: ", "yellow"), sentence), soft_wrap=True)
    if missing:
        text = f"{', '.join(missing)}: run ddsbackup package"
        remarks.print(Text.assemble(("Missing: ", "yellow"), text), soft_wrap=True)


def show_next_steps(console: Console, made: Configuration, packages: Sequence[str], out: Path, rfs: bool) -> None:
    """Print how to apply the configuration in the folder *out* with Terraform or RFS."""
    folder = shlex.quote(os.path.relpath(out))
    required = [variable for variable in made.variables if variable.is_required]
    steps: tuple[str, ...]
    if rfs:
        steps = (
            f"Upload {', '.join(packages)} from {folder} to a folder in OBS. Use a new folder for each version.",
            f"Console > Resource Formation Service > Create Stack > Existing template: upload {folder}/rfs.zip.",
            f"Fill in the variables: {', '.join(variable.name for variable in required)}.",
        )
    else:
        # A secret does not belong on the command line: Terraform prompts for it, or reads TF_VAR_<name>.
        given = " ".join(f"-var {variable.name}=..." for variable in required if not variable.is_secret)
        steps = (
            "export HW_ACCESS_KEY=... HW_SECRET_KEY=...",
            f"terraform -chdir={folder} init",
            f"terraform -chdir={folder} apply {given}",
        )
    console.print("Next:")
    for step in steps:
        console.print(Text(f"  {step}"), soft_wrap=True)
