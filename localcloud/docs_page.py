"""The page `/docs`: every call with its fields, as plain HTML from the OpenAPI document. It loads nothing."""

import re
from collections.abc import Iterator
from html import escape
from json import dumps
from typing import Any


# No script, no image, no frame, and no style but that of the page.
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"}
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }
code, pre, summary { font-family: ui-monospace, monospace; } summary { cursor: pointer; padding: .2em 0; }
details { border-bottom: 1px solid #ccc; } details > :not(summary) { margin-left: 1.5em; }
td, th { text-align: left; vertical-align: top; padding: .1em 1em .1em 0; }
"""


def docs_page(document: dict[str, Any]) -> str:
    """The page for an OpenAPI document: its calls by tag, then its schemas."""
    calls: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            calls.setdefault(operation["tags"][0], []).append(_call(method.upper(), path, operation))
    info = document["info"]
    schemas = document["components"]["schemas"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])}</title>",
        f"<style>{_STYLE}</style><h1>{escape(info['title'])}</h1><p>{_text(info['description'])}</p>",
        "<p>The same for programs: <a href=/openapi.json>/openapi.json</a></p>",
        "<p>In the examples, $URL is the URL of this server, and $TOKEN the X-Auth-Token that it printed.</p>",
        *(f"<h2>{escape(tag)}</h2>{''.join(found)}" for tag, found in calls.items()),
        "<h2>Schemas</h2>",
        *(_schema(name, schemas[name]) for name in sorted(schemas)),
        "</html>",
    ]
    return "\n".join(parts)


def _call(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (parameter["name"], f"{parameter['in']}, {_type(parameter['schema'])}", parameter.get("description", ""))
        for parameter in operation.get("parameters", [])
    ]
    if "requestBody" in operation:
        rows.append(("body", _content(operation["requestBody"]), ""))
    answers = [(status, _content(answer), answer["description"]) for status, answer in operation["responses"].items()]
    title = f"<summary><b>{method}</b> {escape(path)}</summary>"
    text = _text(operation.get("description", ""))
    return f"<details>{title}<p>{text}</p>{_example(method, path, operation)}{_table([*rows, *answers])}</details>"


def _example(method: str, path: str, operation: dict[str, Any]) -> str:
    """The call in a shell, for calls of /_local that change something. The parts of a path are shell variables."""
    examples = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("examples", {})
    if not path.startswith("/_local/") or method == "GET":
        return ""
    url = "$URL" + re.sub(r"{(\w+)}", lambda name: f"${name[1].upper()}", path)
    bodies = [f" -d '{dumps(example['value'])}'" for example in examples.values()] or [""]
    lines = [f'curl -H "X-Auth-Token: $TOKEN" -X {method} {url}{body}' for body in bodies]
    return f"<pre>{escape(chr(10).join(lines), quote=False)}</pre>"


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (field, _type(found) + (", required" if field in required else ""), found.get("description", ""))
        for field, found in schema.get("properties", {}).items()
    ]
    text = schema.get("description") or ("" if rows else _type(schema))
    title = f"<summary>{escape(name)}</summary>"
    return f'<details open id="{escape(name)}">{title}<p>{_text(text)}</p>{_table(rows)}</details>'


def _table(rows: list[tuple[str, str, str]]) -> str:
    cells = (f"<tr><th>{escape(name)}<td>{kind}<td>{_text(text)}" for name, kind, text in rows)
    return f"<table>{''.join(cells)}</table>"


def _content(part: dict[str, Any]) -> str:
    return ", ".join(_type(content.get("schema", {})) for content in part.get("content", {}).values())


def _type(schema: dict[str, Any]) -> str:
    """The type as HTML: the name of a schema is a link to it."""
    return " or ".join(dict.fromkeys(_types(schema))) or "anything"


def _types(schema: dict[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        yield f'<a href="#{name}">{name}</a>'
    for choice in [*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])]:
        yield from _types(choice)
    if "enum" in schema or "const" in schema:
        yield escape(", ".join(map(str, schema.get("enum", [schema.get("const")]))))
    elif schema.get("type") == "array":
        yield f"list of {_type(schema.get('items', {}))}"
    elif "type" in schema:
        yield escape(str(schema["type"]))


def _text(text: str) -> str:
    return escape(text.strip()).replace("\n\n", "<p>")
