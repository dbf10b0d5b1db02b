"""The values that Go source writes down: literals, composite literals, names and calls.

Whatever else an expression may be (a function literal, an operator) is parsed to get past it, and is ``OPAQUE``.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from cli.terraform.derive.go_tokens import Token


class Name(NamedTuple):
    """A name, qualified or not: ``true``, ``schema.TypeString``."""

    text: str


class Call(NamedTuple):
    """A call of a function."""

    function: str
    arguments: "tuple[Value, ...]"


class Composite(NamedTuple):
    """A composite literal: its type (empty where Go lets it be left out) and its elements, with their keys."""

    type: str
    elements: "tuple[tuple[Value | None, Value], ...]"

    def fields(self) -> "dict[str, Value]":
        """Return the elements by their keys, names or texts."""
        return {key.text if isinstance(key, Name) else str(key): value for key, value in self.elements if key}


Value: TypeAlias = "str | int | Name | Call | Composite | None"
OPAQUE: Final = None

_OPERATORS = frozenset(["+", "-", "*", "/", "%", "&", "|", "^", "<", ">", "==", "!=", "<=", ">=", "&&", "||"])
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Reader:
    """Reads values from tokens, one after the other."""

    def __init__(self, tokens: Sequence[Token], position: int = 0) -> None:
        self._tokens = tokens
        self.position = position

    def value(self) -> Value:
        """Read an expression. Raises ValueError where there is none."""
        found = self._operand()
        while self._text() in _OPERATORS:
            self.position += 1
            self._operand()
            found = OPAQUE
        return found

    def _operand(self) -> Value:
        kind, text = self._next()
        if kind == "string":
            return text
        if kind == "number":
            return int(text) if text.isdecimal() else OPAQUE
        if text == "&":
            return self._operand()
        if text == "func":
            self._past_function()
            return self._after(OPAQUE)
        if kind == "name" or text in {"[", "{"}:
            self.position -= 1
            written = "" if text == "{" else self._type()
            return self._composite(written) if self._text() == "{" else self._after(Name(written))
        return self._opaque(text)

    def _opaque(self, text: str) -> Value:
        if text == "(":
            self.position -= 1
            self._past_group()
        elif text in {"*", "-", "!", "+"}:
            self._operand()
        else:
            raise ValueError(f"found {text!r}, expected a value")
        return self._after(OPAQUE)

    def _after(self, found: Value) -> Value:
        while self._text() in {"(", "[", "."}:
            _, text = self._next()
            if text == "(":
                arguments = self._until(")")
                found = Call(found.text, arguments) if isinstance(found, Name) else OPAQUE
            elif text == "[":
                self._until("]")
                found = OPAQUE
            else:
                self._next()
                found = OPAQUE
        return found

    def _until(self, closing: str) -> tuple[Value, ...]:
        values = []
        while self._text() != closing:
            if self._text() in {",", ":", "..."}:
                self.position += 1
                continue
            values.append(self.value())
        self._expect(closing)
        return tuple(values)

    def _type(self) -> str:
        written = ""
        while self._text() in {"[", "map", "*"}:
            _, text = self._next()
            written += text
            if text == "[":
                while self._text() != "]":
                    written += self._next().text
                written += self._next().text
        written += self._next().text
        while self._text() == ".":
            if self._tokens[self.position + 1].kind != "name":
                break  # a type assertion
            written += self._next().text + self._next().text
        return written

    def _composite(self, written: str) -> Composite:
        self._expect("{")
        elements: list[tuple[Value | None, Value]] = []
        while self._text() != "}":
            value = self.value()
            if self._text() == ":":
                self.position += 1
                elements.append((value, self.value()))
            else:
                elements.append((None, value))
            if self._text() == ",":
                self.position += 1
        self._expect("}")
        return Composite(written, tuple(elements))

    def _past_function(self) -> None:
        while self._text() != "{":
            self._past_group() if self._text() in _CLOSING else self._next()
        self._past_group()

    def _past_group(self) -> None:
        closing = _CLOSING[self._next().text]
        while self._text() != closing:
            self._past_group() if self._text() in _CLOSING else self._next()
        self.position += 1

    def _text(self) -> str:
        token = self._tokens[self.position] if self.position < len(self._tokens) else Token("sign", "")
        return "" if token.kind == "string" else token.text

    def _next(self) -> Token:
        if self.position >= len(self._tokens):
            raise ValueError("the source ends inside a value")
        self.position += 1
        return self._tokens[self.position - 1]

    def _expect(self, text: str) -> None:
        found = self._next()
        if found.text != text:
            raise ValueError(f"found {found.text!r}, expected {text!r}")
