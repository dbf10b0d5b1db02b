"""The OpenAPI document is honest: what it allows is answered as it says, what it forbids is refused."""

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


# Left out: what the real gateway does otherwise (a wrong method is 404 there), and checks that know no state.
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
def operations() -> Iterator[dict[str, Any]]:
    """Every operation by "METHOD path", against a local cloud of its own."""
    with LocalCloud() as cloud:
        schema: Any = schemathesis.openapi.from_url(f"{cloud.url}/openapi.json")
        yield {result.ok().label: result.ok() for result in schema.get_all_operations()}


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.name)
@pytest.mark.parametrize("service", ["/_local", "/v2", "/v3", "/v5"])
def test_the_document_is_honest(operations: dict[str, Any], service: str, mode: GenerationMode) -> None:
    """Whatever fits the document is answered with a documented status and body; what does not fit is refused."""
    for label, operation in operations.items():
        # Free text alone (an id in the path) cannot be wrong.
        if f" {service}" in label and (mode is GenerationMode.POSITIVE or operation.body or operation.query):
            _check(operation, mode)


def _check(operation: Any, mode: GenerationMode) -> None:
    seed = load_seed()

    @EXAMPLES
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        if "project_id" in case.path_parameters:
            case.path_parameters["project_id"] = seed.project.id
        case.call_and_validate(headers={"X-Auth-Token": seed.credentials.token}, checks=CHECKS)

    check()
