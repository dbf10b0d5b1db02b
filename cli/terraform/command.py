"""``ddsbackup terraform``: the application as a configuration for Terraform or RFS."""

import json
from collections.abc import Iterable
from pathlib import Path

import click

from cli.console import make_console
from cli.errors import WrongCall
from cli.options import template_option
from cli.template.load import find_template, load_template
from cli.template.model import Function


@click.command(short_help="Write a configuration for Terraform or RFS.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build"),
    show_default=True,
    metavar="FOLDER",
    help="Folder to write to. It also has the zips of the functions.",
)
@click.option("--rfs", is_flag=True, help="Write rfs.zip for Resource Formation Service instead.")
@template_option
@click.option(
    "as_json", "--json", is_flag=True, help="Print one JSON document: files, resources, variables, notes, warnings."
)
def terraform(out: Path, rfs: bool, template_file: Path | None, as_json: bool) -> None:
    """Write template.yaml as a configuration for the provider huaweicloud/huaweicloud.

    The template's parameters become variables, and secrets become sensitive ones. Terraform keeps its state next to
    template.yaml, in terraform.tfstate: keep that file, and keep it private. RFS cannot read files, so with --rfs the
    code comes from OBS. Nothing is written if the template has an error (see ddsbackup validate), or if a zip is for
    another Python than the template.

    \b
      ddsbackup package && ddsbackup terraform
      terraform -chdir=build init
      terraform -chdir=build apply -var region=cn-north-4
    """
    from cli.permissions.agencies import agencies
    from cli.preflight.display import valid_template
    from cli.preflight.report import check_template
    from cli.template.document import Level
    from cli.terraform.check import problems
    from cli.terraform.configuration import configuration, write_files, write_zip
    from cli.terraform.display import as_document, show, show_next_steps
    from cli.terraform.provider import read_provider
    from cli.terraform.resources import Target

    file = template_file or find_template()
    report = check_template(file)
    filled_in = valid_template(report, as_json=as_json)
    _check_pythons(filled_in.functions, out)
    packages = {function.resource: f"{function.name}.zip" for function in filled_in.functions}
    template = load_template(file, fill_in_defaults=False)
    made = configuration(template, packages, Target.RFS if rfs else Target.TERRAFORM, out)
    wrong = problems(made.documents.values(), read_provider())
    if wrong:
        raise WrongCall("\n".join((f"{file} does not give a valid configuration for Terraform:", *wrong)))
    files = [write_zip(made, out)] if rfs else write_files(made, out)
    missing = [name for name in packages.values() if not (out / name).is_file()]
    notes = [sentence for agency in agencies(filled_in) for sentence in agency.by_hand]
    warnings = [finding.sentence for finding in report.of(Level.WARNING)]
    if as_json:
        print(json.dumps(as_document(made, files, missing, notes, warnings), ensure_ascii=False))
    else:
        console = make_console()
        show(console, make_console(stderr=True), made, files, missing, notes)
        show_next_steps(console, made, [*packages.values()], out, rfs)


def _check_pythons(functions: Iterable[Function], folder: Path) -> None:
    """Raise WrongCall if a package in *folder* is for another Python than the template says, by its bill of materials.

    ``ddsbackup package --python`` and ``ddsbackup deploy --python`` make such packages.
    """
    wrong = []
    for function in functions:
        bill = folder / f"{function.name}.cdx.json"
        python = _python_of(bill) if bill.is_file() else None
        if python and function.runtime != f"Python{python}":
            wrong.append(
                f"{folder / function.name}.zip is for Python {python}, expected {function.runtime}, the Runtime of "
                f"{function.name} in the template"
            )
    if wrong:
        raise WrongCall("\n".join((*wrong, "Run ddsbackup package again, or change Runtime in the template.")))


def _python_of(bill: Path) -> str | None:
    try:
        properties = json.loads(bill.read_bytes())["metadata"]["component"]["properties"]
        return next((str(one["value"]) for one in properties if one["name"] == "ddsbackup:python"), None)
    except (ValueError, LookupError, TypeError):
        return None  # not one of ours
