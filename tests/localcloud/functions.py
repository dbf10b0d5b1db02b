"""Requests of the official SDK for functions of the local cloud, and plain invocations."""

import base64
import io
import json
import textwrap
import time
import zipfile
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import huaweicloudsdkfunctiongraph.v2 as sdk
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from localcloud import LocalCloud


NO_DATEUTIL = pytest.mark.filterwarnings("ignore:Unable to convert string to datetime")
HELLO = """
    def handler(event, context):
        return {"hello": event.get("name", "world")}
    """


def package(source: str = HELLO, **files: str) -> bytes:
    """A zip with `source` as index.py at its root, and further `files` by their names without .py."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in {"index": source, **files}.items():
            archive.writestr(f"{name}.py", textwrap.dedent(text))
    return content.getvalue()


def code(content: bytes) -> Any:
    """The SDK's FuncCode with a package."""
    return sdk.FuncCode(file=base64.b64encode(content).decode())


def new_function(name: str = "hello", content: bytes | None = None, **changes: Any) -> Any:
    """The SDK's request to create a function, by default one that says hello."""
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


def new_config(urn: str, **changes: Any) -> Any:
    """The SDK's request to change the configuration of a function made by `new_function`."""
    values: dict[str, Any] = {
        "func_name": "hello",
        "runtime": "Python3.10",
        "timeout": 30,
        "handler": "index.handler",
        "memory_size": 256,
    }
    body = sdk.UpdateFunctionConfigRequestBody(**values | changes)
    return sdk.UpdateFunctionConfigRequest(function_urn=urn, body=body)


def new_code(urn: str, content: bytes) -> Any:
    """The SDK's request to replace the package."""
    body = sdk.UpdateFunctionCodeRequestBody(code_type="zip", code_filename="x.zip", func_code=code(content))
    return sdk.UpdateFunctionCodeRequest(function_urn=urn, body=body)


def new_trigger(urn: str, kind: str, status: str | None = None, **data: Any) -> Any:
    """The SDK's request to create a trigger."""
    body = sdk.CreateFunctionTriggerRequestBody(
        trigger_type_code=kind, trigger_status=status, event_data=sdk.TriggerEventDataRequestBody(**data)
    )
    return sdk.CreateFunctionTriggerRequest(function_urn=urn, body=body)


def async_config(urn: str, retries: int = 0, age: int = 3600, **destinations: tuple[str, dict[str, Any]]) -> Any:
    """The SDK's request to set an asynchronous configuration. `destinations` are on_success and on_failure."""
    configs = {
        name: sdk.FuncDestinationConfig(destination=kind, param=json.dumps(param))
        for name, (kind, param) in destinations.items()
    }
    body = sdk.UpdateFunctionAsyncInvokeConfigRequestBody(
        max_async_retry_attempts=retries,
        max_async_event_age_in_seconds=age,
        destination_config=sdk.FuncAsyncDestinationConfig(**configs),
    )
    return sdk.UpdateFunctionAsyncInvokeConfigRequest(function_urn=urn, body=body)


class Answer(NamedTuple):
    """The response to an invocation: status, headers, text, and the text as JSON."""

    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def invoke(cloud: LocalCloud, urn: str, event: Any = None, kind: str = "invocations", **headers: str) -> Answer:
    """Invoke a function by plain HTTP, as documented."""
    connection = cloud.connection()
    answer = httpx.post(
        f"{cloud.url}/v2/{connection['project_id']}/fgs/functions/{urn}/{kind}",
        json={} if event is None else event,
        headers={
            "X-Auth-Token": connection["token"],
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        trust_env=False,
        timeout=60,
    )
    return Answer(answer.status_code, answer.headers, answer.text)


def refused(call: Callable[[Any], Any], request: Any) -> tuple[int, str]:
    """Make a call of the SDK that must fail. Returns status and code."""
    with pytest.raises(ClientRequestException) as caught:
        call(request)
    return caught.value.status_code, caught.value.error_code


def until(found: Callable[[], Any], seconds: float = 15) -> Any:
    """Wait until `found` returns something true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = found()
        if result:
            return result
        time.sleep(0.01)
    raise AssertionError(f"nothing came within {seconds} s")
