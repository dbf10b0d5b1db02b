"""Options that several commands have."""

from pathlib import Path

import click


template_option = click.option(
    "template_file",
    "--template",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Default: template.yaml in the current directory, else that of the installed application.",
)
