"""The schema document of the provider: its own configuration and the resources that are asked for."""

import re
from collections.abc import Iterable
from typing import Any

from cli.terraform.derive.attributes import Blocks
from cli.terraform.derive.checkout import Checkout, GoPackage
from cli.terraform.derive.go_values import Call, Composite, Value


ADDRESS = "registry.terraform.io/huaweicloud/huaweicloud"
PROVIDER_FOLDER = "huaweicloud"
PROVIDER_FILE = "huaweicloud/provider.go"
MODULE = "github.com/huaweicloud/terraform-provider-huaweicloud/"


def provider_schema(checkout: Checkout, resources: Iterable[str]) -> dict[str, Any]:
    """Return the schemas of *resources* in the form of ``terraform providers schema -json``.

    Beside it, under ``derived``, stands what that form has no place for: where each schema comes from, and the rules
    of single attributes. Raises KeyError for a resource that the provider does not have.
    """
    schemas, sources, rules = {}, {}, {}
    for resource in sorted(resources):
        folder, function = _constructor(checkout, resource)
        package = checkout.package(folder)
        blocks = _blocks(checkout, package)
        schemas[resource] = {"version": 0, "block": blocks.resource(package.composite(function, "schema.Resource"))}
        sources[resource] = package.path_of(function)
        rules[resource] = dict(sorted(blocks.rules.items()))
    package = checkout.package(PROVIDER_FOLDER)
    configuration = _blocks(checkout, package).block(package.composite("Provider", "schema.Provider"))
    return {
        "format_version": "1.0",
        "provider_schemas": {
            ADDRESS: {"provider": {"version": 0, "block": configuration}, "resource_schemas": schemas},
        },
        "derived": {**_origin(checkout), "sources": sources, "rules": rules},
    }


def _origin(checkout: Checkout) -> dict[str, str]:
    commit, date = checkout.git("show", "--no-patch", "--format=%H %cs", f"{checkout.revision}^{{commit}}").split()
    return {
        "repository": f"https://{MODULE.rstrip('/')}",
        "version": checkout.revision.removeprefix("v"),
        "commit": commit,
        "date": date,
    }


def _constructor(checkout: Checkout, resource: str) -> tuple[str, str]:
    """Return the folder and the function of a resource, as provider.go registers it."""
    source = checkout.read(PROVIDER_FILE)
    match = re.search(rf'"{resource}":\s*(\w+)\.(Resource\w+)\(\)', source)
    if match is None:
        raise KeyError(f"{PROVIDER_FILE} registers no resource {resource}")
    return _folder(source, match[1]), match[2]


def _folder(source: str, package: str) -> str:
    match = re.search(rf'"{re.escape(MODULE)}([\w/]*\b{package})"', source)
    if match is None:
        raise KeyError(f"no import of {package}")
    return match[1]


def _blocks(checkout: Checkout, package: GoPackage) -> Blocks:
    def resolve(call: Call) -> Composite:
        qualifier, _, function = call.function.rpartition(".")
        home = package
        if qualifier:
            home = checkout.package(
                _folder("\n".join(package.checkout.read(path) for path in package.paths), qualifier)
            )
        for written in ("schema.Resource", "schema.Schema", "map[string]*schema.Schema"):
            try:
                return home.composite(function, written)
            except KeyError:
                continue
        raise KeyError(f"{call.function} returns no schema")

    def constant(name: str) -> Value:
        return package.constant(name)

    return Blocks(resolve, constant)
