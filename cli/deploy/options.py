"""Options of deploy, destroy and doctor, and the parameter values that they supply."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from cli.errors import WrongCall, did_you_mean
from cli.options import read_env_file
from cli.template.document import TemplateError
from cli.template.model import Parameter


DEFAULT_NAME = "dds-backup"
NAME_PATTERN = r"[A-Za-z][A-Za-z0-9-]{0,31}"


class StackName(click.ParamType[str]):
    """The name of a stack. It has to be valid in descriptions and tags."""

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
    help="The name of this deployment, unique within the project.",
)
parameter_option = click.option(
    "given",
    "--parameter",
    metavar="NAME=VALUE",
    multiple=True,
    help="The value of a template parameter. Repeatable. Or set an environment variable: DDSBACKUP_NOTIFY_EMAIL for "
    "NotifyEmail.",
)
parameters_file_option = click.option(
    "parameters_file",
    "--parameters-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Values of template parameters, one NAME=value per line.",
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")


Ask = Callable[[Parameter], str]


def template_values(
    file: Path, given: tuple[str, ...], parameters_file: Path | None
) -> tuple[Mapping[str, Parameter], dict[str, str]]:
    """Return the parameters of the template *file* and the values that they have so far. Raises WrongCall.

    Other problems with the template do no harm. There are no parameters if it is not valid YAML.
    """
    from cli.template.load import read_template

    try:
        parameters = read_template(file).template.parameters
    except TemplateError:
        return {}, {}
    return parameters, values_given(parameters, given, parameters_file)


def values_given(
    parameters: Mapping[str, Parameter], given: tuple[str, ...], parameters_file: Path | None
) -> dict[str, str]:
    """Return the parameter values from the options, the environment and the template's defaults. Raises WrongCall."""
    from_file = read_env_file(parameters_file) if parameters_file else {}
    return given_values(parameters, assignments(given), from_file, os.environ)


def assignments(given: Iterable[str]) -> dict[str, str]:
    """Return the values of ``--parameter Name=Value``; the last one of a name wins. Raises WrongCall without ``=``."""
    values = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise WrongCall(f"found --parameter {name}, expected Name=Value")
        values[name] = value
    return values


def given_values(
    parameters: Mapping[str, Parameter],
    given: Mapping[str, str],
    from_file: Mapping[str, str],
    environment: Mapping[str, str],
) -> dict[str, str]:
    """Return the value of every parameter that has one.

    The order of precedence is *given*, *from_file*, *environment*, the default. *given* comes from the command line,
    which other users of the machine can read, so it must not hold secrets. Raises WrongCall for an unknown name, a
    secret in *given*, and a value that is not a number where one is required.
    """
    for name in (*given, *from_file):
        if name not in parameters:
            hint = did_you_mean(name, parameters)
            raise WrongCall(f"there is no parameter {name!r}{hint} Known: {', '.join(parameters) or 'none'}")
    secret = next((name for name in given if parameters[name].is_secret), None)
    if secret:
        raise WrongCall(
            f"the parameter {secret} is a secret, and other users can read a command line: set {variable_of(secret)}"
        )
    values = {}
    for name, parameter in parameters.items():
        sources = (given.get(name), from_file.get(name), environment.get(variable_of(name)), parameter.default)
        value = next((value for value in sources if value is not None), None)
        if value is not None:
            values[name] = _checked(parameter, value)
    return values


def variable_of(name: str) -> str:
    """Return the environment variable of a parameter, such as DDSBACKUP_NOTIFY_EMAIL for ``NotifyEmail``."""
    return "DDSBACKUP_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def all_values(parameters: Mapping[str, Parameter], values: Mapping[str, str], ask: Ask | None) -> dict[str, str]:
    """Return *values* and the answers of *ask* for the parameters that are missing and that something refers to.

    *ask* is None if the command cannot ask. WrongCall then names all missing parameters.
    """
    missing = [name for name, parameter in parameters.items() if parameter.is_used and name not in values]
    if missing and ask is None:
        ways = [
            f"set {variable_of(name)}" if parameters[name].is_secret else f"give --parameter {name}=..."
            for name in missing
        ]
        raise WrongCall(f"the template needs {' and '.join(missing)}: {', '.join(ways)}")
    answers = {name: _checked(parameters[name], ask(parameters[name])) for name in missing if ask}
    return {**values, **answers}


def ask(parameter: Parameter) -> str:
    """Ask the user for the value of a parameter, without echo if it is a secret."""
    if parameter.description:
        click.echo(parameter.description, err=True)
    value: str = click.prompt(parameter.name, hide_input=parameter.is_secret, err=True)
    return value


def _checked(parameter: Parameter, value: str) -> str:
    if parameter.type == "Number" and not re.fullmatch(r"-?\d+(\.\d+)?", value):
        shown = "text" if parameter.is_secret else repr(value)
        raise WrongCall(f"the parameter {parameter.name}: found {shown}, expected a number")
    return value
