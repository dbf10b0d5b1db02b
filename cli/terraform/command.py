"""``ddsbackup terraform``: the application as a configuration for Terraform, or for RFS."""

import json
import os.path
import shlex
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from cli.console import make_console
from cli.errors import WrongCall
from cli.json_value import JsonObject
from cli.options import template_option
from cli.template.load import find_template, load_template
from cli.terraform.configuration import Configuration
from cli.terraform.model import Target


@click.command(short_help="Write a configuration for Terraform or RFS.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build"),
    show_default=True,
    metavar="FOLDER",
    help="Where to write, and where the zips of the functions are.",
)
@click.option("--rfs", is_flag=True, help="Write rfs.zip for Resource Formation Service instead.")
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document: files, resources, variables, notes.")
def terraform(out: Path, rfs: bool, template_file: Path | None, as_json: bool) -> None:
    """Write template.yaml as a configuration for the provider huaweicloud/huaweicloud.

    The parameters of the template become variables, secret ones sensitive. The state is kept beside template.yaml, in
    terraform.tfstate: keep it, and keep it to yourself. RFS reads no files, so with --rfs the code comes from OBS.

    \b
      ddsbackup package && ddsbackup terraform
      terraform -chdir=build init
      terraform -chdir=build apply -var region=cn-north-4
    """
    from cli.permissions.agencies import agencies
    from cli.terraform.check import problems
    from cli.terraform.configuration import configuration
    from cli.terraform.files import write_files, write_zip
    from cli.terraform.provider import read_provider

    file = template_file or find_template()
    filled_in = load_template(file)
    packages = {function.resource: f"{function.name}.zip" for function in filled_in.functions}
    template = load_template(file, fill_in_defaults=False)
    made = configuration(template, packages, Target.RFS if rfs else Target.TERRAFORM, out)
    wrong = problems(made.documents.values(), read_provider())
    if wrong:
        raise WrongCall("\n".join((f"{file} has no valid configuration for Terraform:", *wrong)))
    files = [write_zip(made, out)] if rfs else write_files(made, out)
    missing = [name for name in packages.values() if not (out / name).is_file()]
    notes = [sentence for agency in agencies(filled_in) for sentence in agency.by_hand]
    if as_json:
        print(json.dumps(_document(made, files, missing, notes), ensure_ascii=False))
    else:
        _show(made, files, missing, notes)
        _show_next(made, packages, out, rfs)


def _document(made: Configuration, files: list[Path], missing: list[str], notes: list[str]) -> JsonObject:
    return {
        "files": [str(file) for file in files],
        "resources": [resource.address for resource in made.resources],
        "required_variables": [variable.name for variable in made.variables if variable.is_required],
        "missing_packages": [*missing],
        "by_hand": [*notes],
    }


def _show(made: Configuration, files: list[Path], missing: list[str], notes: list[str]) -> None:
    console, remarks = make_console(), make_console(stderr=True)
    table = Table("Resource", "Names", box=None, pad_edge=False)
    by_type: dict[str, list[str]] = {}
    for resource in made.resources:
        by_type.setdefault(resource.type, []).append(resource.name)
    for kind, names in by_type.items():
        table.add_row(kind, ", ".join(names))
    console.print(table)
    console.print(Text.assemble("\nWrote ", (", ".join(str(file) for file in files), "bold")), soft_wrap=True)
    for sentence in notes:
        remarks.print(Text.assemble(("By hand: ", "yellow"), sentence), soft_wrap=True)
    if missing:
        packages = ", ".join(missing)
        remarks.print(
            Text.assemble(("Missing: ", "yellow"), f"{packages}: ddsbackup package makes them"), soft_wrap=True
        )


def _show_next(made: Configuration, packages: dict[str, str], out: Path, rfs: bool) -> None:
    console = make_console()
    folder = shlex.quote(os.path.relpath(out))
    required = [variable for variable in made.variables if variable.is_required]
    steps: tuple[str, ...]
    if rfs:
        steps = (
            f"Upload {', '.join(packages.values())} from {folder} to a folder in OBS, a new one for each version.",
            f"Console > Resource Formation Service > Create Stack > Existing template: upload {folder}/rfs.zip.",
            f"Fill in the variables: {', '.join(variable.name for variable in required)}.",
        )
    else:
        # A secret does not belong on a command line: Terraform asks for it, or takes it from TF_VAR_<name>.
        given = " ".join(f"-var {variable.name}=..." for variable in required if not variable.is_secret)
        steps = (
            "export HW_ACCESS_KEY=... HW_SECRET_KEY=...",
            f"terraform -chdir={folder} init",
            f"terraform -chdir={folder} apply {given}",
        )
    console.print("Next:")
    for step in steps:
        console.print(Text(f"  {step}"), soft_wrap=True)
