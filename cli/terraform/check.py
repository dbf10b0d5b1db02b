"""Checks a configuration against the provider's schema. Terraform itself can do so only with the provider installed.

Expressions are those that this package writes: a reference, a function call, a quoted text. Terraform has more.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cli.errors import did_you_mean
from cli.json_value import Json, JsonObject
from cli.terraform.provider import Attribute, Block, Nested, Provider, Rule


META_ARGUMENTS = frozenset({"depends_on", "lifecycle"})
"""Arguments that every resource may have (Terraform, Meta-Arguments), as far as they are used here."""

_REFERENCE = re.compile(r"(?<![\w.])(?:var|local|data|huaweicloud_\w+)(?:\.\w+)+")
KINDS = {"var": "variable", "data": "data source"}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_CALL = re.compile(r"\w+\(")


def problems(documents: Iterable[JsonObject], provider: Provider) -> list[str]:
    """Return a sentence for each thing in the documents of a configuration that Terraform would reject.

    Each begins with its place: ``huaweicloud_fgs_function.create_backup: memory_size: ...``.
    """
    sections = _sections(documents)
    resources = sections["resource"]
    names = _Names(
        variables={name: _object(variable)["type"] for name, variable in sections["variable"].items()},
        values={group: _object(values) for group, values in sections["locals"].items()},
        resources=frozenset(
            f"{prefix}{kind}.{name}"
            for prefix, section in (("", resources), ("data.", sections["data"]))
            for kind, named in section.items()
            for name in _object(named)
        ),
        provider=provider,
    )
    found = []
    for kind, named in resources.items():
        for name, body in _object(named).items():
            here = f"{kind}.{name}"
            if kind in provider.resources:
                checker = _Checker(names, provider.rules.get(kind, {}))
                found += [f"{here}: {problem}" for problem in checker.resource(_object(body), provider.resources[kind])]
            else:
                found.append(f"{here}: unknown resource{did_you_mean(kind, provider.resources)}")
    for name, body in sections["provider"].items():
        checker = _Checker(names, {})
        found += [f"provider.{name}: {problem}" for problem in checker.block(_object(body), provider.configuration)]
    for section in ("data", "locals", "output"):
        found += [f"{section}.{problem}" for problem in names.dangling(sections[section])]
    return found


def _sections(documents: Iterable[JsonObject]) -> dict[str, JsonObject]:
    names = ("resource", "data", "locals", "variable", "provider", "output")
    sections: dict[str, JsonObject] = {name: {} for name in names}
    for document in documents:
        for name, section in document.items():
            if name in sections:
                sections[name] |= _object(section)
    return sections


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class _Names:
    """Everything that an expression can refer to, with its type."""

    variables: Mapping[str, Json]
    values: Mapping[str, Mapping[str, Json]]
    """The local values, by group and name."""
    resources: frozenset[str]
    """The addresses of the resources and of the data sources."""
    provider: Provider

    def dangling(self, value: Json, path: str = "") -> Iterator[str]:
        """Yield a sentence, with the place in front, for each reference inside *value* to something unknown."""
        if isinstance(value, str):
            for reference in (name for expression in _expressions(value) for name in _REFERENCE.findall(expression)):
                if problem := self._problem(reference):
                    yield f"{path}: {problem}"
        elif isinstance(value, (dict, list)):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for key, item in items:
                yield from self.dangling(item, f"{path}.{key}" if path else str(key))

    def _problem(self, reference: str) -> str | None:
        kind, *rest = reference.split(".")
        if kind in {"var", "data"}:  # the schema has no attributes of data sources
            found = rest[0] in self.variables if kind == "var" else ".".join((kind, *rest[:2])) in self.resources
            return None if found else f"there is no {KINDS[kind]} {'.'.join(rest)}"
        if kind == "local":
            value: Json = {group: dict(values) for group, values in self.values.items()}
            for part in rest:
                if not isinstance(value, dict) or part not in value:
                    return f"there is no {reference}"
                value = value[part]
            return None
        if f"{kind}.{rest[0]}" not in self.resources:
            return f"there is no resource {kind}.{rest[0]}"
        if len(rest) > 1 and rest[1] not in self.provider.resources[kind].attributes:
            return f"{kind} has no attribute {rest[1]}"
        return None

    def fits(self, value: Json, wanted: Json) -> bool:
        """Whether Terraform accepts *value* for an attribute of the type *wanted*."""
        if isinstance(wanted, list):
            kind, of = wanted
            if kind in {"list", "set"}:
                return isinstance(value, list) and all(self.fits(item, of) for item in value)
            return isinstance(value, dict) and all(self.fits(item, of) for item in value.values())
        if value is None:
            return True
        if isinstance(value, str):
            return self._text_fits(value, wanted)
        if isinstance(value, bool):
            return wanted in {"bool", "string"}
        return isinstance(value, (int, float)) and wanted in {"number", "string"}

    def _text_fits(self, text: str, wanted: Json) -> bool:
        found = self._type(text)
        if wanted in (found, "string"):
            return isinstance(found, str)
        if found != "string" or "${" in text:
            return False
        return bool(_NUMBER.fullmatch(text)) if wanted == "number" else text in {"true", "false"}

    def _type(self, text: str) -> Json:
        """Return the type of a text: that of its expression if it is nothing else, otherwise string."""
        inside = next(_expressions(text), None)
        if inside is None or f"${{{inside}}}" != text or _CALL.match(inside) or not _REFERENCE.fullmatch(inside):
            return "string"
        kind, name, *attribute = inside.split(".")
        if kind == "var":
            return self.variables.get(name)
        if kind in self.provider.resources and attribute:
            known = self.provider.resources[kind].attributes.get(attribute[0])
            return known.type if known else None
        return None


def _expressions(text: str) -> Iterator[str]:
    """Yield the expressions inside a text, without ``${`` and ``}``."""
    start = text.find("${")
    while start >= 0:
        depth, end = 1, start + 2
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        yield text[start + 2 : end - 1]
        start = text.find("${", end)


class _Checker:
    """Checks a resource or the provider's block. Each problem begins with the dotted path of its attribute."""

    def __init__(self, names: _Names, rules: Mapping[str, Rule]) -> None:
        self._names = names
        self._rules = rules

    def resource(self, body: JsonObject, block: Block) -> Iterator[str]:
        depends_on = body.get("depends_on")
        for address in depends_on if isinstance(depends_on, list) else ():
            if address not in self._names.resources:
                yield f"depends_on: there is no resource {address}"
        yield from self.block({key: value for key, value in body.items() if key not in META_ARGUMENTS}, block)

    def block(self, body: JsonObject, block: Block, path: str = "") -> Iterator[str]:
        known = [*(name for name, attribute in block.attributes.items() if attribute.is_settable), *block.nested]
        for name, value in body.items():
            here = path + name
            if name == "dynamic":
                yield from self._dynamic(_object(value), block, path)
            elif name in block.nested:
                yield from self._nested(value, block.nested[name], here)
            elif name not in block.attributes:
                yield f"{here}: unknown attribute{did_you_mean(name, known)}"
            else:
                yield from self._attribute(value, block.attributes[name], here)
        for name, attribute in block.attributes.items():
            if attribute.required and body.get(name) is None:
                yield f"{path}{name}: missing"
        for name, nested in block.nested.items():
            if nested.least and name not in body:
                yield f"{path}{name}: missing, expected at least {nested.least}"
        if not path:
            yield from self._combination(body)

    def _nested(self, value: Json, nested: Nested, path: str) -> Iterator[str]:
        bodies = value if isinstance(value, list) else [value]
        if not all(isinstance(body, dict) for body in bodies):
            yield f"{path}: found {value!r}, expected a block"
            return
        most = 1 if nested.nesting == "single" else nested.most
        if len(bodies) < nested.least or (most is not None and len(bodies) > most):
            yield f"{path}: found {len(bodies)} blocks, expected {nested.least} to {most or 'any number'}"
        for body in bodies:
            yield from self.block(_object(body), nested.block, f"{path}.")

    def _dynamic(self, blocks: JsonObject, block: Block, path: str) -> Iterator[str]:
        """Check blocks that are repeated for each item of a collection (Terraform, dynamic Blocks)."""
        for name, body in blocks.items():
            here = f"{path}dynamic.{name}"
            if name not in block.nested:
                yield f"{here}: unknown block{did_you_mean(name, block.nested)}"
                continue
            yield from self._names.dangling(_object(body).get("for_each"), f"{here}.for_each")
            yield from self.block(_object(_object(body).get("content")), block.nested[name].block, f"{here}.")

    def _attribute(self, value: Json, attribute: Attribute, path: str) -> Iterator[str]:
        if not attribute.is_settable:
            yield f"{path}: read-only, the provider sets it"
        if attribute.deprecated:
            yield f"{path}: deprecated"
        dangling = list(self._names.dangling(value, path))
        yield from dangling
        if not dangling and not self._names.fits(value, attribute.type):
            yield f"{path}: found {value!r}, expected {_described(attribute.type)}"
        yield from self._rule(value, self._rules.get(path, Rule()), path)

    def _rule(self, value: Json, rule: Rule, path: str) -> Iterator[str]:
        if isinstance(value, str) and "${" not in value:
            if rule.enum and value not in rule.enum:
                yield f"{path}: found {value!r}, expected one of: {', '.join(map(str, rule.enum))}"
            if rule.is_json and not _is_json(value):
                yield f"{path}: found {value!r}, expected JSON"
        if rule.range and isinstance(value, int) and not rule.range[0] <= value <= rule.range[1]:
            yield f"{path}: found {value}, expected {rule.range[0]} to {rule.range[1]}"

    def _combination(self, body: JsonObject) -> Iterator[str]:
        """Yield the violations of rules about several attributes."""
        for name, rule in self._rules.items():
            if body.get(name) is not None:
                yield from (f"{name}: conflicts with {other}" for other in rule.conflicts_with if other in body)
                yield from (f"{name}: requires {other}" for other in rule.required_with if other not in body)
            if rule.exactly_one_of:
                either = {name, *rule.exactly_one_of}
                given = sorted(either & body.keys())
                if len(given) != 1:
                    yield f"found {' and '.join(given) or 'none'}, expected exactly one of: {', '.join(sorted(either))}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _described(wanted: Json) -> str:
    if not isinstance(wanted, list):
        return f"a {wanted}"
    return f"a {wanted[0]} of {wanted[1] if isinstance(wanted[1], str) else 'objects'}"
