"""The provider's schema, converted from its Go source to the form of ``terraform providers schema -json``.

The rules are those of terraform-plugin-sdk v2, helper/schema/core_schema.go: what becomes an attribute or a nested
block, and what is computed.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cli.terraform.derive.go import Call, Checkout, Composite, GoPackage, Name, Value


ADDRESS = "registry.terraform.io/huaweicloud/huaweicloud"
PROVIDER_FOLDER = "huaweicloud"
PROVIDER_FILE = "huaweicloud/provider.go"
MODULE = "github.com/huaweicloud/terraform-provider-huaweicloud/"

Resolve = Callable[[Call], Composite]
"""Finds the composite literal that a function of the provider returns."""

Constant = Callable[[str], Value]

_SIMPLE = {
    "schema.TypeString": "string",
    "schema.TypeBool": "bool",
    "schema.TypeInt": "number",
    "schema.TypeFloat": "number",
}
_NESTING = {"schema.TypeList": "list", "schema.TypeSet": "set", "schema.TypeMap": "map"}


def provider_schema(checkout: Checkout, resources: Iterable[str]) -> dict[str, Any]:
    """Return the schemas of *resources* in the form of ``terraform providers schema -json``.

    What that form has no place for is under ``derived``: the source of each schema, and the rules of attributes.
    Raises KeyError for a resource that the provider does not have.
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
    """Return the folder and the function of a resource, from its registration in provider.go."""
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


def _blocks(checkout: Checkout, package: GoPackage) -> "Blocks":
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


class Blocks:
    """Converts schemas to blocks, and collects the rules of attributes, for which Terraform's form has no place."""

    def __init__(self, resolve: Resolve, constant: Constant) -> None:
        self._resolve = resolve
        self._constant = constant
        self.rules: dict[str, dict[str, Any]] = {}

    def resource(self, resource: Composite) -> dict[str, Any]:
        """Return the block of a resource, including the ``id`` and the ``timeouts`` that the SDK adds."""
        block = self.block(resource)
        block["attributes"].setdefault("id", {"type": "string", "optional": True, "computed": True})
        timeouts = resource.fields().get("Timeouts")
        if isinstance(timeouts, Composite):
            names = sorted(name.lower() for name in timeouts.fields())
            attributes = {name: {"type": "string", "optional": True} for name in names}
            block.setdefault("block_types", {})["timeouts"] = {
                "nesting_mode": "single",
                "block": {"attributes": attributes},
            }
        return block

    def block(self, resource: Composite, path: str = "") -> dict[str, Any]:
        """Return the block of the *resource* literal. *path* is the prefix of its attributes' paths."""
        block: dict[str, Any] = {"attributes": {}}
        for name, written in sorted(self._schemas(resource)):
            fields = written.fields()
            elem = self._literal(fields.get("Elem"))
            self._note_rules(path + name, fields)
            is_block = elem is not None and elem.type == "schema.Resource"
            if is_block and (_flag(fields, "Optional") or not _flag(fields, "Computed")):
                assert elem is not None  # noqa: S101 - for mypy, see is_block
                block.setdefault("block_types", {})[name] = self._nested(fields, elem, f"{path}{name}.")
            else:
                block["attributes"][name] = self._attribute(fields, elem)
        return block

    def _schemas(self, resource: Composite) -> Iterator[tuple[str, Composite]]:
        schemas = self._literal(resource.fields()["Schema"])
        for name, value in schemas.fields().items() if schemas else ():
            literal = self._literal(value)
            if literal is None:
                raise ValueError(f"{name} is {value}, expected a schema")
            yield name, literal

    def _literal(self, value: Value) -> Composite | None:
        if isinstance(value, Call):
            return self._resolve(value)
        return value if isinstance(value, Composite) else None

    def _nested(self, fields: dict[str, Value], elem: Composite, path: str) -> dict[str, Any]:
        nested: dict[str, Any] = {"nesting_mode": _NESTING[_text(fields["Type"])], "block": self.block(elem, path)}
        least = fields.get("MinItems", 0)
        if _flag(fields, "Required"):
            nested["min_items"] = least or 1
        if fields.get("MaxItems"):
            nested["max_items"] = fields["MaxItems"]
        return nested

    def _attribute(self, fields: dict[str, Value], elem: Composite | None) -> dict[str, Any]:
        attribute: dict[str, Any] = {"type": self._type(fields, elem)}
        for field, name in (("Required", "required"), ("Optional", "optional"), ("Computed", "computed")):
            if _flag(fields, field):
                attribute[name] = True
        if _flag(fields, "Sensitive"):
            attribute["sensitive"] = True
        if "Deprecated" in fields:
            attribute["deprecated"] = True
        return attribute

    def _type(self, fields: dict[str, Value], elem: Composite | None) -> Any:
        written = _text(fields["Type"])
        if written in _SIMPLE:
            return _SIMPLE[written]
        if elem is None:
            return [_NESTING[written], "string"]
        if elem.type != "schema.Resource":
            return [_NESTING[written], self._type(elem.fields(), self._literal(elem.fields().get("Elem")))]
        members = {}
        for name, schema in sorted(self._schemas(elem)):
            members[name] = self._type(schema.fields(), self._literal(schema.fields().get("Elem")))
        return [_NESTING[written], ["object", members]]

    def _note_rules(self, path: str, fields: dict[str, Value]) -> None:
        rules: dict[str, Any] = {}
        if _flag(fields, "ForceNew"):
            rules["force_new"] = True
        for field, name in (
            ("ConflictsWith", "conflicts_with"),
            ("RequiredWith", "required_with"),
            ("ExactlyOneOf", "exactly_one_of"),
        ):
            written = fields.get(field)
            if isinstance(written, Composite):
                rules[name] = [value for _, value in written.elements]
        check = fields.get("ValidateFunc")
        if isinstance(check, Call):
            rules.update(self._check(check))
        elif check == Name("validation.StringIsJSON"):
            rules["json"] = True
        if rules:
            self.rules[path] = rules

    def _check(self, check: Call) -> dict[str, Any]:
        if check.function == "validation.StringInSlice" and isinstance(check.arguments[0], Composite):
            return {"enum": [self._constant_or(value) for _, value in check.arguments[0].elements]}
        if check.function == "validation.IntBetween":
            least, most = check.arguments
            return {"minimum": least, "maximum": most}
        return {}

    def _constant_or(self, value: Value) -> Value:
        return self._constant(value.text) if isinstance(value, Name) else value


def _flag(fields: dict[str, Value], name: str) -> bool:
    return fields.get(name) == Name("true")


def _text(value: Value) -> str:
    if not isinstance(value, Name):
        raise TypeError(f"found {value}, expected a name")
    return value.text
