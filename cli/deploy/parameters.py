"""The values of the template's parameters: from the call, a file, the environment, the template, or the user."""

import re
from collections.abc import Callable, Iterable, Mapping

from cli.errors import WrongCall, did_you_mean
from cli.template.model import Parameter


Ask = Callable[[Parameter], str]


def variable_of(name: str) -> str:
    """Return the environment variable of a parameter: ``NotifyEmail`` is DDSBACKUP_NOTIFY_EMAIL."""
    return "DDSBACKUP_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def assignments(given: Iterable[str]) -> dict[str, str]:
    """Return what ``--parameter Name=Value`` says; a later one wins. Raises WrongCall for what has no ``=``."""
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
    """Return the value of every parameter that has one; the sources go before one another in their order here.

    *given* comes from the command line, where others can read it, so it may hold no secret. Raises WrongCall for
    unknown names, a secret in *given*, and no number where one is wanted.
    """
    for name in (*given, *from_file):
        if name not in parameters:
            hint = did_you_mean(name, parameters)
            raise WrongCall(f"there is no parameter {name!r}{hint} Known: {', '.join(parameters) or 'none'}")
    secret = next((name for name in given if parameters[name].is_secret), None)
    if secret:
        raise WrongCall(
            f"the parameter {secret} is a secret, which a command line would show to others: set {variable_of(secret)}"
        )
    values = {}
    for name, parameter in parameters.items():
        sources = (given.get(name), from_file.get(name), environment.get(variable_of(name)), parameter.default)
        value = next((value for value in sources if value is not None), None)
        if value is not None:
            values[name] = _checked(parameter, value)
    return values


def all_values(parameters: Mapping[str, Parameter], values: Mapping[str, str], ask: Ask | None) -> dict[str, str]:
    """Return *values* and those of the other parameters, which *ask* gives.

    *ask* is None when there is nobody to ask: then WrongCall is raised, naming all that are missing.
    """
    missing = [name for name in parameters if name not in values]
    if missing and ask is None:
        ways = ", ".join(
            f"set {variable_of(name)}" if parameters[name].is_secret else f"--parameter {name}=..." for name in missing
        )
        raise WrongCall(f"the template needs {' and '.join(missing)}: give {ways}")
    answers = {name: _checked(parameters[name], ask(parameters[name])) for name in missing if ask}
    return {**values, **answers}


def _checked(parameter: Parameter, value: str) -> str:
    if parameter.type == "Number" and not re.fullmatch(r"-?\d+(\.\d+)?", value):
        shown = "text" if parameter.is_secret else repr(value)
        raise WrongCall(f"the parameter {parameter.name}: found {shown}, expected a number")
    return value
