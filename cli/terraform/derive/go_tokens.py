"""The tokens of Go source, comments left out."""

import ast
import re
from typing import NamedTuple


class Token(NamedTuple):
    """A token: ``kind`` is name, string, number or sign."""

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
    """Return the tokens of *source*; a string comes as its value. Raises ValueError where it is no Go."""
    found = []
    position = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            line = source.count("\n", 0, position) + 1
            raise ValueError(f"line {line}: no token of Go begins with {source[position : position + 10]!r}")
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
