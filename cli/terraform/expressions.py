"""Texts of the template as Terraform writes them: names, literals and references.

Terraform reads each text of a resource as a template, in which ``${`` and ``%{`` begin an expression.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cli.json_value import Json
from cli.template.document import REFERENCE
from cli.template.model import Parameter, Template


TOPIC = "huaweicloud_smn_topic"

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
_BEFORE_BRACE = re.compile(r"[$%]+(?=\{)")
_AT_END = re.compile(r"\$+$")


def snake_case(name: str) -> str:
    """Return *name* as a Terraform name: ``NotifyTopic`` becomes ``notify_topic``."""
    words = [word for word in _WORD.split(name) if word]
    joined = "_".join(words).lower()
    return joined if joined[:1].isalpha() else f"_{joined}"


def literal(text: str) -> str:
    """Return *text* quoted so that Terraform reads exactly *text*, including dollar and percent signs."""
    return _BEFORE_BRACE.sub(_quoted, text)


def call(function: str, *arguments: str) -> str:
    """Return a text whose value is the result of a Terraform function. The arguments are expressions."""
    return f"${{{function}({', '.join(arguments)})}}"


def _quoted(match: re.Match[str]) -> str:
    return f'${{"{match[0]}"}}'


@dataclass(frozen=True, slots=True)
class Scope:
    """The expressions that the references of a template stand for: variables of parameters, and URNs of topics."""

    expressions: Mapping[str, str]

    def text(self, text: str) -> str:
        """Return *text* for Terraform, with its references as expressions."""
        written, position = "", 0
        for match in REFERENCE.finditer(text):
            # A dollar sign before an expression would escape it.
            before = _AT_END.sub(_quoted, literal(text[position : match.start()]))
            written += f"{before}${{{self.expressions[match[1]]}}}"
            position = match.end()
        return written + literal(text[position:])

    def value(self, value: Json) -> Json:
        """Return a JSON value with all its texts for Terraform."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value


def scope_of(template: Template) -> Scope:
    """Return the scope of *template*."""
    variables = {name: _variable(parameter) for name, parameter in template.parameters.items()}
    topics = {topic.resource: f"{TOPIC}.{snake_case(topic.resource)}.topic_urn" for topic in template.topics}
    return Scope({**variables, **topics})


def _variable(parameter: Parameter) -> str:
    reference = f"var.{snake_case(parameter.name)}"
    # A text that is only a reference would become a number. In the template, it stays a text.
    return f"tostring({reference})" if parameter.type == "Number" else reference
