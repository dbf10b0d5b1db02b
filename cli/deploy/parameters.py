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


def parameter_values(
    parameters: Mapping[str, Parameter],
    given: Mapping[str, str],
    from_file: Mapping[str, str],
    environment: Mapping[str, str],
    ask: Ask | None,
) -> dict[str, str]:
    """Return a value for every parameter; the sources go before one another in the order of the arguments.

    *given* comes from the command line, where others can read it, so it may hold no secret. *ask* is None when there is
    nobody to ask. Raises WrongCall for unknown names, a secret in *given*, no number where one is wanted, and for
    parameters without a value, naming them all.
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
    missing = []
    for name, parameter in parameters.items():
        sources = (given.get(name), from_file.get(name), environment.get(variable_of(name)), parameter.default)
        value = next((value for value in sources if value is not None), None)
        if value is None and ask:
            value = ask(parameter)
        if value is None:
            missing.append(name)
        else:
            values[name] = value
    if missing:
        ways = ", ".join(
            f"set {variable_of(name)}" if parameters[name].is_secret else f"--parameter {name}=..." for name in missing
        )
        raise WrongCall(f"the template needs {' and '.join(missing)}: give {ways}")
    _check_numbers(parameters, values)
    return values


def _check_numbers(parameters: Mapping[str, Parameter], values: Mapping[str, str]) -> None:
    for name, value in values.items():
        if parameters[name].type == "Number" and not re.fullmatch(r"-?\d+(\.\d+)?", value):
            shown = "text" if parameters[name].is_secret else repr(value)
            raise WrongCall(f"the parameter {name}: found {shown}, expected a number")
