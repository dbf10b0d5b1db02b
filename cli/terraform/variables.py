"""Variables: what differs by account, and the parameters of the template."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.errors import WrongCall
from cli.json_value import Json, JsonObject
from cli.template.model import Parameter, Template
from cli.terraform.expressions import snake_case
from cli.terraform.model import Target


RESERVED = frozenset({"count", "depends_on", "for_each", "lifecycle", "locals", "providers", "source", "version"})
"""What no variable may be called (Terraform, Input Variables)."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A ``variable`` block. Terraform reads its texts as they are, without expressions."""

    name: str
    description: str
    type: str = "string"
    default: Json = None
    is_required: bool = True
    """Without a default, not even null."""
    is_secret: bool = False

    def body(self) -> JsonObject:
        """Return the content of the block."""
        body: JsonObject = {"type": self.type}
        if self.description:
            body["description"] = self.description
        if not self.is_required:
            body["default"] = self.default
        if self.is_secret:
            body["sensitive"] = True
        return body


def variables(template: Template, target: Target) -> tuple[Variable, ...]:
    """Return the variables, those of the account first. Raises WrongCall for a parameter whose name is taken."""
    found = list(_of_the_account(target))
    for parameter in template.parameters.values():
        variable = _variable(parameter)
        if variable.name in RESERVED or any(variable.name == other.name for other in found):
            raise WrongCall(
                f"{template.file}: the parameter {parameter.name} would be the variable {variable.name!r}, which is"
                " taken. Give it another name"
            )
        found.append(variable)
    return tuple(found)


def _of_the_account(target: Target) -> Iterator[Variable]:
    yield Variable("region", "The region, such as cn-north-4 or eu-west-101.")
    yield Variable("project_name", "The project. Default: the main project of the region.", is_required=False)
    yield Variable(
        "enterprise_project_id", "The enterprise project. Default: what the provider is set to.", is_required=False
    )
    if target is Target.RFS:
        yield Variable(
            "code_url",
            "The folder in OBS with the zips of the functions, such as"
            " https://BUCKET.obs.cn-north-4.myhuaweicloud.com/dds-backup/1. Each version of the code needs another:"
            " under the same URL no change is noticed.",
        )


def _variable(parameter: Parameter) -> Variable:
    is_number = parameter.type == "Number"
    default: Json = int(parameter.default) if is_number and parameter.default is not None else parameter.default
    return Variable(
        name=snake_case(parameter.name),
        description=parameter.description,
        type="number" if is_number else "string",
        default=default,
        is_required=parameter.default is None,
        is_secret=parameter.is_secret,
    )
