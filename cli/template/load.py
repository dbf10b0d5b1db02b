"""From ``template.yaml`` to the functions that it describes."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cli.errors import WrongCall, did_you_mean
from cli.paths import APPLICATION
from cli.template.checks import application_problems, function_problems
from cli.template.decode import decoded, decoded_parameter
from cli.template.document import Document, read_document
from cli.template.model import Function, Template
from cli.template.problems import Problem, TemplateError
from cli.template.references import fill_in
from cli.template.schema import schema_problems


FILE_NAME = "template.yaml"


def find_template() -> Path:
    """Return the template of the current directory, else that of this command's checkout."""
    here = Path.cwd() / FILE_NAME
    return here if here.is_file() else APPLICATION / FILE_NAME


def load_template(
    file: Path, values: Mapping[str, str] = MappingProxyType({}), *, fill_in_defaults: bool = True
) -> Template:
    """Read and check *file*, references to the parameters in *values* filled in.

    Without *fill_in_defaults*, references to parameters that have a default stay as they are written, too. Raises
    TemplateError, which names every problem, or WrongCall when it is no YAML.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongCall(f"cannot read the template {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongCall(f"{file} is no UTF-8 text: {error}") from error
    document = read_document(str(file), text)
    _refuse(file, document, [*document.duplicates, *schema_problems(document.data)])
    _refuse(file, document, application_problems(document.data))
    parameters = {name: decoded_parameter(name, spec) for name, spec in document.data.get("Parameters", {}).items()}
    known = parameters.values() if fill_in_defaults else ()
    defaults = {parameter.name: parameter.default for parameter in known if parameter.default is not None}
    data = _filled_in(document.data, {**defaults, **values})
    _refuse(file, document, schema_problems(data))
    template = decoded(file, data, parameters)
    _refuse(file, document, function_problems(template))
    return template


def find_function(template: Template, name: str) -> Function:
    """Return the function called *name* in FunctionGraph or in the template. Raises WrongCall for others."""
    for function in template.functions:
        if name in (function.name, function.resource):
            return function
    known = [function.name for function in template.functions]
    hint = did_you_mean(name, known)
    raise WrongCall(f"{template.file} has no function {name!r}{hint} Known: {', '.join(known) or 'none'}")


def _refuse(file: Path, document: Document, problems: Iterable[Problem]) -> None:
    found = [(document.line(problem.path), problem) for problem in problems]
    if found:
        raise TemplateError(str(file), found)


def _filled_in(data: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    return {key: fill_in(value, values) if key in {"Globals", "Resources"} else value for key, value in data.items()}
