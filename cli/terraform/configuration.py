"""The files of a configuration, named as HashiCorp's style guide names them."""

import os.path
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.errors import WrongCall
from cli.json_value import JsonObject
from cli.template.model import Template
from cli.terraform.agencies import agencies_and_policies
from cli.terraform.expressions import TOPIC, scope_of, snake_case
from cli.terraform.functions import FUNCTION, functions
from cli.terraform.logs import logs
from cli.terraform.model import Part, Resource, Target
from cli.terraform.topics import topics
from cli.terraform.triggers import triggers
from cli.terraform.variables import Variable, variables


PROVIDER = "huaweicloud"
SOURCES = {Target.TERRAFORM: "huaweicloud/huaweicloud", Target.RFS: "huawei.com/provider/huaweicloud"}
"""Where each takes the provider from (RFS, Supported Provider Versions)."""

PROVIDER_VERSIONS = ">= 1.78.1, < 2.0.0"
"""From the first with every attribute that is used here, ``cascade_delete_eg_subscription`` being the youngest."""

TERRAFORM_VERSIONS = ">= 1.1.0"
STATE = "terraform.tfstate"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The documents by file name, and the variables and resources in them."""

    documents: Mapping[str, JsonObject]
    variables: tuple[Variable, ...]
    resources: tuple[Resource, ...]


def configuration(template: Template, packages: Mapping[str, str], target: Target, out: Path) -> Configuration:
    """Return the configuration of *template*, loaded with its references, as it will stand in the folder *out*.

    *packages* has the file name of each function's zip by the function's key under ``Resources``. The same template
    gives the same documents. Raises WrongCall for a template that has no such configuration.
    """
    scope = scope_of(template)
    parts = (
        topics(template, scope),
        logs(template, scope),
        agencies_and_policies(template, scope),
        functions(template, scope, packages, target),
        triggers(template, scope),
    )
    resources = tuple(resource for part in parts for resource in part.resources)
    _refuse_repeated(resources, template)
    declared = variables(template, target)
    documents: dict[str, JsonObject] = {
        "terraform.tf.json": _terraform(template, target, out),
        "variables.tf.json": {"variable": {variable.name: variable.body() for variable in declared}},
        "main.tf.json": _main(parts, resources),
        "outputs.tf.json": {"output": _outputs(template)},
    }
    return Configuration(documents, declared, resources)


def _refuse_repeated(resources: tuple[Resource, ...], template: Template) -> None:
    for address, times in Counter(resource.address for resource in resources).items():
        if times > 1:
            raise WrongCall(
                f"{template.file}: {times} resources would have the name {address} in Terraform."
                " Give them names that differ in more than capitals and punctuation"
            )


def _terraform(template: Template, target: Target, out: Path) -> JsonObject:
    provider: JsonObject = {"source": SOURCES[target], "version": PROVIDER_VERSIONS}
    settings: JsonObject = {"required_providers": {PROVIDER: provider}}
    if target is Target.TERRAFORM:
        # Beside the template: what is in the folder of the output can be made again, the state cannot.
        state = os.path.relpath(template.file.resolve().parent / STATE, out.resolve())
        backend: JsonObject = {"local": {"path": Path(state).as_posix()}}
        settings = {"required_version": TERRAFORM_VERSIONS, **settings, "backend": backend}
    options: JsonObject = {
        "region": "${var.region}",
        "project_name": "${var.project_name}",
        # Some resources refuse a change that takes a new one, of an agency's name say: let the plan show that instead.
        "enable_force_new": True,
    }
    return {"terraform": settings, "provider": {PROVIDER: options}}


def _main(parts: tuple[Part, ...], resources: tuple[Resource, ...]) -> JsonObject:
    by_type: dict[str, JsonObject] = {}
    for resource in resources:
        by_type.setdefault(resource.type, {})[resource.name] = resource.body
    main: JsonObject = {}
    values: JsonObject = {group: dict(named) for part in parts for group, named in part.values.items()}
    if values:
        main["locals"] = values
    if by_type:
        main["resource"] = dict(by_type)
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
