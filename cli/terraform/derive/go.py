"""Reads the provider's Go source: the packages of a git checkout, and the values written in them.

Only literals, composite literals, names and calls are values. Any other expression, such as a function literal or an
operator, is parsed and becomes ``OPAQUE``.
"""

import ast
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias


class Token(NamedTuple):
    """A token. Its kind is name, string, number or sign."""

    kind: str
    text: str


_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<raw>`[^`]*`)
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<rune>'(?:\\.|[^'\\\n])+')
  | (?P<name>[^\W\d]\w*)
  | (?P<number>\d[\w.]*)
  | (?P<sign>:=|&&|\|\||==|!=|<=|>=|<-|\.\.\.|\+\+|--|[-+*/%&|^<>=!~:;,.(){}\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(source: str) -> list[Token]:
    """Return the tokens of *source* without comments. The text of a string is its value.

    Raises ValueError if the source is not Go.
    """
    found = []
    position = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            line = source.count("\n", 0, position) + 1
            raise ValueError(f"line {line}: no Go token begins with {source[position : position + 10]!r}")
        position = match.end()
        kind, text = str(match.lastgroup), match[0]
        if kind == "raw":
            found.append(Token("string", text[1:-1]))
        elif kind == "string":
            found.append(Token("string", ast.literal_eval(text)))
        elif kind == "rune":
            found.append(Token("number", text))
        elif kind != "skip":
            found.append(Token(kind, text))
    return found


class Name(NamedTuple):
    """A name, possibly qualified: ``true``, ``schema.TypeString``."""

    text: str


class Call(NamedTuple):
    """A function call."""

    function: str
    arguments: "tuple[Value, ...]"


class Composite(NamedTuple):
    """A composite literal: its type (empty if Go allows to omit it) and its elements with their keys, if any."""

    type: str
    elements: "tuple[tuple[Value | None, Value], ...]"

    def fields(self) -> "dict[str, Value]":
        """Return the elements that have a key, by key."""
        return {key.text if isinstance(key, Name) else str(key): value for key, value in self.elements if key}


Value: TypeAlias = "str | int | Name | Call | Composite | None"
OPAQUE: Final = None

_OPERATORS = frozenset(["+", "-", "*", "/", "%", "&", "|", "^", "<", ">", "==", "!=", "<=", ">=", "&&", "||"])
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Reader:
    """Reads one value after the other from tokens."""

    def __init__(self, tokens: Sequence[Token], position: int = 0) -> None:
        self._tokens = tokens
        self.position = position

    def value(self) -> Value:
        """Read an expression. Raises ValueError if there is none."""
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


@dataclass(frozen=True)
class Checkout:
    """A revision in a git repository, which may be bare."""

    repository: Path
    revision: str

    def git(self, *arguments: str) -> str:
        """Return the output of git. Raises CalledProcessError if it fails."""
        git = shutil.which("git")
        if git is None:
            raise FileNotFoundError("git is not installed")
        command = [git, "-C", str(self.repository), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - no shell

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return self.git("show", f"{self.revision}:{path}")

    def package(self, folder: str) -> "GoPackage":
        """Return the Go package in *folder*."""
        paths = self.git("ls-tree", "--name-only", self.revision, f"{folder}/").split()
        return GoPackage(self, tuple(path for path in paths if path.endswith(".go") and not path.endswith("_test.go")))


@dataclass(frozen=True)
class GoPackage:
    """A Go package: the composite literals in its functions, and its constants."""

    checkout: Checkout
    paths: tuple[str, ...]

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {path: self.checkout.read(path) for path in self.paths}

    def path_of(self, function: str) -> str:
        """Return the file that defines *function*. Raises KeyError if there is none."""
        for path, source in self._sources.items():
            if f"\nfunc {function}(" in source:
                return path
        raise KeyError(function)

    def composite(self, function: str, written_type: str) -> Composite:
        """Return the first composite literal of *written_type* in *function*: in this provider, what it returns.

        Raises KeyError if there is none.
        """
        found = tokens(self._sources[self.path_of(function)])
        texts = [token.text for token in found]
        start = next(position for position in range(len(texts)) if texts[position : position + 2] == ["func", function])
        wanted = [*(token.text for token in tokens(written_type)), "{"]
        for position in range(start, len(texts) - len(wanted) + 1):
            is_signature = texts[position - 1] in {"*", ")"}
            if not is_signature and texts[position : position + len(wanted)] == wanted:
                value = Reader(found, position).value()
                if isinstance(value, Composite):
                    return value
        raise KeyError(f"{function} has no {written_type}")

    def constant(self, name: str) -> Value:
        """Return the value of the constant *name*. Raises KeyError if there is none."""
        for source in self._sources.values():
            if name not in source:
                continue
            found = tokens(source)
            for position, token in enumerate(found[:-2]):
                if token.text == name and found[position + 1].text == "=":
                    return Reader(found, position + 2).value()
        raise KeyError(name)
