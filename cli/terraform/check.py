"""Checking a configuration against the provider's schema, since Terraform itself does so only with the provider."""

import json
from collections.abc import Iterable, Iterator, Mapping

from cli.errors import did_you_mean
from cli.json_value import Json, JsonObject
from cli.terraform.provider import Attribute, Block, Nested, Provider, Rule
from cli.terraform.types import Names, references


META_ARGUMENTS = frozenset({"depends_on", "lifecycle"})
"""What every resource may have, of what Terraform allows (Meta-Arguments)."""


def problems(documents: Iterable[JsonObject], provider: Provider) -> list[str]:
    """Return a sentence for each thing in the documents of one configuration that Terraform would not take.

    Each begins with the place: ``huaweicloud_fgs_function.create_backup: memory_size: ...``.
    """
    sections = _sections(documents)
    resources = sections["resource"]
    names = Names(
        variables={name: _type_of(variable) for name, variable in sections["variable"].items()},
        values={group: _object(values) for group, values in sections["locals"].items()},
        resources=frozenset(f"{kind}.{name}" for kind, named in resources.items() for name in _object(named)),
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
    for section in ("locals", "output"):
        found += [f"{section}.{problem}" for problem in dangling(sections[section], names)]
    return found


def dangling(value: Json, names: Names, path: str = "") -> Iterator[str]:
    """Yield each reference inside *value* to something that is not there, with its place in front."""
    if isinstance(value, str):
        wrong = (names.problem(reference) for reference in references(value))
        yield from (f"{path}: {problem}" for problem in wrong if problem)
    elif isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from dangling(item, names, f"{path}.{key}" if path else str(key))


class _Checker:
    """Checks one resource."""

    def __init__(self, names: Names, rules: Mapping[str, Rule]) -> None:
        self._names = names
        self._rules = rules

    def resource(self, body: JsonObject, block: Block) -> Iterator[str]:
        for address in _list(body.get("depends_on", [])):
            if address not in self._names.resources:
                yield f"depends_on: there is no resource {address}"
        yield from self.block({key: value for key, value in body.items() if key not in META_ARGUMENTS}, block)

    def block(self, body: JsonObject, block: Block, path: str = "") -> Iterator[str]:
        known = [*(name for name, attribute in block.attributes.items() if attribute.is_settable), *block.nested]
        for name, value in body.items():
            here = path + name
            if name in block.nested:
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
            yield from self._together(body)

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

    def _attribute(self, value: Json, attribute: Attribute, path: str) -> Iterator[str]:
        if not attribute.is_settable:
            yield f"{path}: the provider sets it, a configuration cannot"
        if attribute.deprecated:
            yield f"{path}: deprecated"
        dangle = list(dangling(value, self._names, path))
        yield from dangle
        if not dangle and not self._names.fits(value, attribute.type):
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

    def _together(self, body: JsonObject) -> Iterator[str]:
        for name, rule in self._rules.items():
            is_given = body.get(name) is not None
            yield from (
                f"{name}: conflicts with {other}" for other in rule.conflicts_with if is_given and other in body
            )
            yield from (f"{name}: needs {other}, too" for other in rule.required_with if is_given and other not in body)
            if rule.exactly_one_of:
                either = {name, *rule.exactly_one_of}
                given = sorted(either & body.keys())
                if len(given) != 1:
                    yield f"found {' and '.join(given) or 'none'}, expected exactly one of: {', '.join(sorted(either))}"


def _sections(documents: Iterable[JsonObject]) -> dict[str, JsonObject]:
    sections: dict[str, JsonObject] = {name: {} for name in ("resource", "locals", "variable", "provider", "output")}
    for document in documents:
        for name, section in document.items():
            if name in sections:
                sections[name] |= _object(section)
    return sections


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _type_of(variable: Json) -> Json:
    return _object(variable)["type"]


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _described(wanted: Json) -> str:
    if not isinstance(wanted, list):
        return f"a {wanted}"
    return f"a {wanted[0]} of {wanted[1] if isinstance(wanted[1], str) else 'objects'}"
