"""The OpenAPI document matches the implementation: valid requests succeed as documented, invalid ones fail."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from localcloud import LocalCloud
from localcloud.seed import load_seed


# Without checks that the real gateway contradicts (a wrong method is 404 there), and those that need state.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
]
EXAMPLES = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def operations(local_cloud_server: LocalCloud) -> Iterator[dict[str, Any]]:
    """Every operation by "METHOD path"."""
    local_cloud_server.reset()
    schema: Any = schemathesis.openapi.from_url(f"{local_cloud_server.url}/openapi.json")
    yield {result.ok().label: result.ok() for result in schema.get_all_operations()}
    local_cloud_server.reset()


@pytest.mark.slow
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.name)
@pytest.mark.parametrize("service", ["/_local", "/v2", "/v3", "/v5"])
def test_the_document_matches(
    local_cloud_server: LocalCloud, operations: dict[str, Any], service: str, mode: GenerationMode
) -> None:
    """Valid requests get a documented status and body, invalid requests are refused."""
    for label, operation in operations.items():
        # An operation that takes only an id in its path has no invalid requests.
        if f" {service}" in label and (mode is GenerationMode.POSITIVE or operation.body or operation.query):
            _check(operation, mode, local_cloud_server.connection()["token"])


def _check(operation: Any, mode: GenerationMode, token: str) -> None:
    seed = load_seed()

    @EXAMPLES
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        if "project_id" in case.path_parameters:
            case.path_parameters["project_id"] = seed.project.id
        case.call_and_validate(headers={"X-Auth-Token": token}, checks=CHECKS)

    check()
