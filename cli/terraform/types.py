"""The types of values, and which value an attribute takes.

Expressions are those that this package writes: a reference, a call of a function, a quoted text. Terraform has more.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cli.json_value import Json
from cli.terraform.provider import Provider


_REFERENCE = re.compile(r"(?<![\w.])(?:var|local|huaweicloud_\w+)(?:\.\w+)+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_CALL = re.compile(r"\w+\(")


def expressions(text: str) -> Iterator[str]:
    """Yield the expressions inside a text of Terraform, without ``${`` and ``}``."""
    start = text.find("${")
    while start >= 0:
        depth, end = 1, start + 2
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        yield text[start + 2 : end - 1]
        start = text.find("${", end)


def references(text: str) -> Iterator[str]:
    """Yield what the expressions inside a text refer to, such as ``var.region``."""
    for expression in expressions(text):
        yield from _REFERENCE.findall(expression)


@dataclass(frozen=True, slots=True)
class Names:
    """What can be referred to."""

    variables: Mapping[str, Json]
    """The type of each."""
    values: Mapping[str, Mapping[str, Json]]
    """Local values, by group and name."""
    resources: frozenset[str]
    """Addresses."""
    provider: Provider

    def problem(self, reference: str) -> str | None:
        """Return what is wrong with a reference, None if nothing is."""
        kind, *rest = reference.split(".")
        if kind == "var":
            return None if rest[0] in self.variables else f"there is no variable {rest[0]}"
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
        """Whether Terraform can take *value* for an attribute of the type *wanted*."""
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
        """Return the type of a text: that of the expression that it consists of, else string."""
        inside = next(expressions(text), None)
        if inside is None or f"${{{inside}}}" != text or _CALL.match(inside) or not _REFERENCE.fullmatch(inside):
            return "string"
        kind, name, *attribute = inside.split(".")
        if kind == "var":
            return self.variables.get(name)
        if kind in self.provider.resources and attribute:
            known = self.provider.resources[kind].attributes.get(attribute[0])
            return known.type if known else None
        return None
