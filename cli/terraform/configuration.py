"""A Terraform configuration: its documents, and how they are written to files or to the zip for RFS.

The files are named as HashiCorp's style guide names them.
"""

import json
import os.path
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.errors import WrongCall
from cli.json_value import Json, JsonObject
from cli.package.archive import write_whole, zipped
from cli.template.model import Parameter, Template
from cli.terraform.expressions import TOPIC, scope_of, snake_case
from cli.terraform.resources import FUNCTION, Part, Resource, Target, application


PROVIDER = "huaweicloud"
SOURCES = {Target.TERRAFORM: "huaweicloud/huaweicloud", Target.RFS: "huawei.com/provider/huaweicloud"}
"""The address of the provider (RFS, Supported Provider Versions)."""

PROVIDER_VERSIONS = ">= 1.78.1, < 2.0.0"
"""Starts at the first version that has the youngest attribute used here, ``cascade_delete_eg_subscription``."""

TERRAFORM_VERSIONS = ">= 1.1.0"
STATE = "terraform.tfstate"

RESERVED = frozenset({"count", "depends_on", "for_each", "lifecycle", "locals", "providers", "source", "version"})
"""Names that a variable cannot have (Terraform, Input Variables)."""

RFS_FILE = "rfs.zip"
RFS_LIMIT = 1024 * 1024
"""Bytes, before and after unpacking (RFS API, Creating a Stack, ``template_uri``)."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A ``variable`` block. Terraform reads its texts literally, without expressions."""

    name: str
    description: str
    type: str = "string"
    default: Json = None
    is_required: bool = True
    """Whether there is no default, not even null."""
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


@dataclass(frozen=True, slots=True)
class Configuration:
    """The documents by file name, and their variables and resources."""

    documents: Mapping[str, JsonObject]
    variables: tuple[Variable, ...]
    resources: tuple[Resource, ...]


def configuration(template: Template, packages: Mapping[str, str], target: Target, out: Path) -> Configuration:
    """Return the configuration of *template*, loaded without filling in defaults, for the folder *out*.

    *packages* has the file name of each function's zip by the function's key under ``Resources``. The same template
    gives the same documents. Raises WrongCall if two resources or variables would have the same name.
    """
    part = application(template, scope_of(template), packages, target)
    _refuse_duplicates(part.resources, template)
    variables = _variables(template, target)
    documents: dict[str, JsonObject] = {
        "terraform.tf.json": _terraform(template, target, out),
        "variables.tf.json": {"variable": {variable.name: variable.body() for variable in variables}},
        "main.tf.json": _main(part),
        "outputs.tf.json": {"output": _outputs(template)},
    }
    return Configuration(documents, variables, part.resources)


def _refuse_duplicates(resources: tuple[Resource, ...], template: Template) -> None:
    for address, times in Counter(resource.address for resource in resources).items():
        if times > 1:
            raise WrongCall(
                f"{template.file}: {times} resources would have the name {address} in Terraform."
                " Give them names that differ in more than case and punctuation"
            )


def _variables(template: Template, target: Target) -> tuple[Variable, ...]:
    """Return the variables of the account, then the parameters that something refers to.

    Raises WrongCall if a parameter's name is taken.
    """
    found = list(_account_variables(target))
    for parameter in (one for one in template.parameters.values() if one.is_used):
        variable = _parameter(parameter)
        if variable.name in RESERVED or any(variable.name == other.name for other in found):
            raise WrongCall(
                f"{template.file}: the parameter {parameter.name} would be the variable {variable.name!r}, which is"
                " taken. Give it another name"
            )
        found.append(variable)
    return tuple(found)


def _account_variables(target: Target) -> Iterator[Variable]:
    yield Variable("region", "The region, such as cn-north-4 or eu-west-101.")
    yield Variable("project_name", "The project. Default: the main project of the region.", is_required=False)
    yield Variable(
        "enterprise_project_id", "The enterprise project. Default: that of the provider's settings.", is_required=False
    )
    if target is Target.RFS:
        yield Variable(
            "code_url",
            "The folder in OBS with the zips of the functions, such as"
            " https://BUCKET.obs.cn-north-4.myhuaweicloud.com/dds-backup/1. Use a new folder for each version of the"
            " code: RFS does not notice a change under the same URL.",
        )


def _parameter(parameter: Parameter) -> Variable:
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


def _terraform(template: Template, target: Target, out: Path) -> JsonObject:
    provider: JsonObject = {"source": SOURCES[target], "version": PROVIDER_VERSIONS}
    settings: JsonObject = {"required_providers": {PROVIDER: provider}}
    if target is Target.TERRAFORM:
        # The state is next to the template: the output folder can be made again, the state cannot.
        state = os.path.relpath(template.file.resolve().parent / STATE, out.resolve())
        backend: JsonObject = {"local": {"path": Path(state).as_posix()}}
        settings = {"required_version": TERRAFORM_VERSIONS, **settings, "backend": backend}
    options: JsonObject = {
        "region": "${var.region}",
        "project_name": "${var.project_name}",
        # The provider refuses some changes, such as renaming an agency. With this, the plan shows a replacement.
        "enable_force_new": True,
    }
    return {"terraform": settings, "provider": {PROVIDER: options}}


def _main(part: Part) -> JsonObject:
    main: JsonObject = {}
    if part.values:
        main["locals"] = {group: dict(named) for group, named in part.values.items()}
    for section, blocks in (("data", part.data), ("resource", part.resources)):
        by_type: dict[str, JsonObject] = {}
        for block in blocks:
            by_type.setdefault(block.type, {})[block.name] = block.body
        if by_type:
            main[section] = dict(by_type)
    return main


def _outputs(template: Template) -> JsonObject:
    function_names = [snake_case(function.resource) for function in template.functions]
    topic_names = [snake_case(topic.resource) for topic in template.topics]
    return {
        "function_urns": {
            "description": "The functions.",
            "value": {name: f"${{{FUNCTION}.{name}.urn}}" for name in function_names},
        },
        "topic_urns": {
            "description": "The topics.",
            "value": {name: f"${{{TOPIC}.{name}.topic_urn}}" for name in topic_names},
        },
    }


def write_files(configuration: Configuration, out: Path) -> list[Path]:
    """Write the documents to the folder *out*, which is created if needed. Raises WrongCall if that fails."""
    return [_write(out / name, content) for name, content in _contents(configuration).items()]


def write_zip(configuration: Configuration, out: Path) -> Path:
    """Write the documents to ``rfs.zip`` in the folder *out*. The same documents give the same bytes.

    Raises WrongCall if the configuration is too large for RFS, or if the file cannot be written.
    """
    contents = _contents(configuration)
    size = sum(map(len, contents.values()))
    if size > RFS_LIMIT:
        raise WrongCall(f"the configuration has {size} bytes, expected at most {RFS_LIMIT}, the limit of RFS")
    return _write(out / RFS_FILE, zipped(contents))


def _contents(configuration: Configuration) -> dict[str, bytes]:
    return {
        name: (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
        for name, document in configuration.documents.items()
    }


def _write(file: Path, content: bytes) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, content)
    except OSError as error:
        raise WrongCall(f"cannot write {file}: {error.strerror}") from error
    return file
