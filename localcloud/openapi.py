"""The OpenAPI document, with the errors and security schemes of the real services instead of FastAPI's defaults."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from localcloud.dds import schemas as dds
from localcloud.errors import SIGN_IN, Service, service_of
from localcloud.functiongraph import schemas as functiongraph
from localcloud.iam import policy_schemas as iam5
from localcloud.iam import schemas as iam
from localcloud.smn import schemas as smn


_ERRORS: dict[Service, type[BaseModel]] = {
    Service.DDS: dds.Error,
    Service.FUNCTIONGRAPH: functiongraph.Error,
    Service.IAM: iam.Error,
    Service.IAM5: iam5.Error,
    Service.SMN: smn.Error,
}
_NAMES = {service: f"{service.value}Error" for service in Service}
_GATEWAY = {
    "type": "object",
    "properties": {"error_msg": {"type": "string"}, "error_code": {"type": "string"}, "request_id": {"type": "string"}},
    "required": ["error_msg", "error_code", "request_id"],
}

# The gateway checks it for every path, so no handler takes it.
_PROJECT_ID = {"name": "project_id", "in": "path", "required": True, "schema": {"type": "string"}}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of `app`: the services in the order of `Service`, each call with its function's name."""
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    for route in routes:
        route.operation_id = route.name
    order = [*Service, None]
    routes.sort(key=lambda route: order.index(service_of(route.path)))
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=routes)
    components = document["components"]
    components["securitySchemes"] = {
        "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "SDK-HMAC-SHA256 Access=..., SignedHeaders=..., Signature=...",
        },
    }
    components["schemas"]["GatewayError"] = _GATEWAY
    for service, model in _ERRORS.items():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        components["schemas"] |= schema.pop("$defs", {})
        components["schemas"][_NAMES[service]] = schema
    for path, operations in document["paths"].items():
        owner = service_of(path)
        for operation in operations.values():
            if owner is not None:
                _describe(operation, owner)
            elif path.startswith("/_local/"):
                _describe_control(operation)
            if path in SIGN_IN:
                operation["security"].insert(0, {})
            if "{project_id}" in path:
                operation.setdefault("parameters", []).insert(0, _PROJECT_ID)
    return document


def _describe_control(operation: dict[str, Any]) -> None:
    operation["security"] = [{"token": []}, {"signature": []}]
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/GatewayError"}}}
    for status, meaning in (
        (400, "Nested too deeply"),
        (401, "Not authenticated"),
        (403, "A foreign web page, another host name, or an agency"),
        (413, "Too large"),
    ):
        operation["responses"][str(status)] = {"description": meaning, "content": content}


def _describe(operation: dict[str, Any], service: Service) -> None:
    operation["security"] = [{"token": []}, {"signature": []}]
    operation["responses"].pop("422", None)
    schema = {
        "anyOf": [
            {"$ref": f"#/components/schemas/{_NAMES[service]}"},
            {"$ref": "#/components/schemas/GatewayError"},
        ]
    }
    for status, meaning in (
        (400, "Refused"),
        (401, "Not authenticated"),
        (403, "Forbidden, or not possible at this time"),
        (404, "Not found"),
        (409, "Exists already"),
        (413, "Too large"),
        (429, "Too many requests"),
    ):
        operation["responses"][str(status)] = {
            "description": meaning,
            "content": {"application/json": {"schema": schema}},
        }
