"""Options that deploy, destroy and doctor share."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cli.deploy.parameters import assignments, given_values
from cli.env_file import read_env_file
from cli.template.model import Parameter


DEFAULT_NAME = "dds-backup"
NAME_PATTERN = r"[A-Za-z][A-Za-z0-9-]{0,31}"


class StackName(click.ParamType[str]):
    """The name of a stack."""

    name = "stack"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name."""
        if not re.fullmatch(NAME_PATTERN, value):
            self.fail(f"found {value!r}, expected 1 to 32 letters, digits and hyphens, a letter first", param, ctx)
        return str(value)


cloud_option = click.option(
    "--cloud", metavar="URL", help="A running local cloud (ddsbackup serve): its URL, or local for the default one."
)
region_option = click.option("--region", metavar="REGION", help="The region of the real cloud, such as cn-north-4.")
stack_option = click.option(
    "--stack-name",
    type=StackName(),
    default=DEFAULT_NAME,
    show_default=True,
    metavar="NAME",
    help="What tells one deployment in a project from another.",
)
parameter_option = click.option(
    "given",
    "--parameter",
    metavar="NAME=VALUE",
    multiple=True,
    help="The value of a parameter of the template; may be repeated. Or set DDSBACKUP_NAME.",
)
parameters_file_option = click.option(
    "parameters_file",
    "--parameters-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Values of parameters, NAME=value a line.",
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def values_given(
    parameters: Mapping[str, Parameter], given: tuple[str, ...], parameters_file: Path | None
) -> dict[str, str]:
    """Return the values of parameters from the call, the file, the environment and the template. Raises WrongCall."""
    from_file = read_env_file(parameters_file) if parameters_file else {}
    return given_values(parameters, assignments(given), from_file, os.environ)


def ask(parameter: Parameter) -> str:
    """Ask for the value of a parameter; what is typed for a secret is not shown."""
    if parameter.description:
        click.echo(parameter.description, err=True)
    value: str = click.prompt(parameter.name, hide_input=parameter.is_secret, err=True)
    return value


def is_interactive() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()
