"""``ddsbackup terraform``: the application as a configuration for Terraform or RFS."""

import json
from pathlib import Path

import click

from cli.console import make_console
from cli.errors import WrongCall
from cli.options import template_option
from cli.template.load import find_template, load_template


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
    code comes from OBS.

    \b
      ddsbackup package && ddsbackup terraform
      terraform -chdir=build init
      terraform -chdir=build apply -var region=cn-north-4
    """
    from cli.permissions.agencies import agencies
    from cli.template.exposure import exposures
    from cli.terraform.check import problems
    from cli.terraform.configuration import configuration, write_files, write_zip
    from cli.terraform.display import as_document, show, show_next_steps
    from cli.terraform.provider import read_provider
    from cli.terraform.resources import Target

    file = template_file or find_template()
    filled_in = load_template(file)
    packages = {function.resource: f"{function.name}.zip" for function in filled_in.functions}
    template = load_template(file, fill_in_defaults=False)
    made = configuration(template, packages, Target.RFS if rfs else Target.TERRAFORM, out)
    wrong = problems(made.documents.values(), read_provider())
    if wrong:
        raise WrongCall("\n".join((f"{file} does not give a valid configuration for Terraform:", *wrong)))
    files = [write_zip(made, out)] if rfs else write_files(made, out)
    missing = [name for name in packages.values() if not (out / name).is_file()]
    notes = [sentence for agency in agencies(filled_in) for sentence in agency.by_hand]
    warnings = [*exposures(filled_in)]
    if as_json:
        print(json.dumps(as_document(made, files, missing, notes, warnings), ensure_ascii=False))
    else:
        console = make_console()
        show(console, make_console(stderr=True), made, files, missing, notes, warnings)
        show_next_steps(console, made, [*packages.values()], out, rfs)
