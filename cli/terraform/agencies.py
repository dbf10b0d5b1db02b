"""The agencies that FunctionGraph acts under, each with a custom policy for the project of the functions."""

from cli.permissions.agencies import TRUSTED_SERVICE, agencies, custom_policy
from cli.template.model import Function, Template
from cli.terraform.expressions import Scope, call, snake_case
from cli.terraform.model import Part, Resource


AGENCY = "huaweicloud_identity_agency"
POLICY = "huaweicloud_identity_role"

PROJECT = call("coalesce", "var.project_name", "var.region")
"""A region's main project has the name of the region (IAM, Projects)."""

FOR_PROJECTS = "XA"
"""A custom policy for services of projects, not global ones (IAM API, Creating a Custom Policy, ``type``)."""


def agencies_and_policies(template: Template, scope: Scope) -> Part:
    """Return the agencies of *template* that are made here."""
    resources = []
    policies = {}
    for agency in agencies(template):
        name = snake_case(agency.name)
        policies[name] = scope.value(custom_policy(agency))
        resources.append(
            Resource(
                POLICY,
                name,
                {
                    "name": scope.text(agency.name),
                    "description": "What the functions of the agency of the same name call, and nothing else.",
                    "type": FOR_PROJECTS,
                    "policy": call("jsonencode", f"local.policies.{name}"),
                },
            )
        )
        resources.append(
            Resource(
                AGENCY,
                name,
                {
                    "name": scope.text(agency.name),
                    "description": "Lets FunctionGraph act for the functions.",
                    "delegated_service_name": TRUSTED_SERVICE,
                    "project_role": [{"project": PROJECT, "roles": [f"${{{POLICY}.{name}.name}}"]}],
                },
            )
        )
    return Part(tuple(resources), {"policies": policies} if policies else {})


def agency_of(function: Function, template: Template, scope: Scope) -> str | None:
    """Return the text that names the agency of *function*: a reference, where it is made here."""
    if function.agency is None:
        return None
    if any(function.agency == agency.name for agency in agencies(template)):
        return f"${{{AGENCY}.{snake_case(function.agency)}.name}}"
    return scope.text(function.agency)
