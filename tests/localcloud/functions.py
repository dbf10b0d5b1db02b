"""Functions in the local cloud, through the official SDK."""

import base64
import io
import textwrap
import zipfile
from typing import Any

import huaweicloudsdkfunctiongraph.v2 as sdk


HELLO = """
    def handler(event, context):
        return {"hello": event.get("name", "world")}
    """


def package(source: str = HELLO, **files: str) -> bytes:
    """A zip with index.py made of `source` at its root, and more `files` by their names without .py."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in {"index": source, **files}.items():
            archive.writestr(f"{name}.py", textwrap.dedent(text))
    return content.getvalue()


def code(content: bytes) -> Any:
    """The SDK's code of a package."""
    return sdk.FuncCode(file=base64.b64encode(content).decode())


def new_function(name: str = "hello", content: bytes | None = None, **changes: Any) -> Any:
    """The SDK's request for a function; without `content` it says hello."""
    values: dict[str, Any] = {
        "func_name": name,
        "package": "default",
        "runtime": "Python3.10",
        "timeout": 30,
        "handler": "index.handler",
        "memory_size": 256,
        "code_type": "zip",
        "code_filename": f"{name}.zip",
        "func_code": code(package() if content is None else content),
    }
    return sdk.CreateFunctionRequest(body=sdk.CreateFunctionRequestBody(**values | changes))


def new_trigger(urn: str, kind: str, status: str | None = None, **data: Any) -> Any:
    """The SDK's request for a trigger."""
    body = sdk.CreateFunctionTriggerRequestBody(
        trigger_type_code=kind, trigger_status=status, event_data=sdk.TriggerEventDataRequestBody(**data)
    )
    return sdk.CreateFunctionTriggerRequest(function_urn=urn, body=body)
