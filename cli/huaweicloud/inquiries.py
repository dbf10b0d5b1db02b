"""What doctor asks beside what the stack consists of: instances, quotas, projects, inherited permissions."""

from typing import Any

from huaweicloudsdkdds.v3 import ListInstancesRequest
from huaweicloudsdkfunctiongraph.v2 import ListQuotasRequest
from huaweicloudsdkiam.v3 import KeystoneListProjectsRequest, ListAllProjectsPermissionsForAgencyRequest

from cli.huaweicloud.access import Access


PAGE = 100


def list_instances(access: Access) -> list[dict[str, Any]]:
    """Return the DDS instances of the project (DDS API, Querying Instances and Details)."""
    return [dict(item) for item in access.dds.pages("list_instances", ListInstancesRequest(), "instances", PAGE)]


def list_quotas(access: Access) -> list[dict[str, Any]]:
    """Return the quotas of FunctionGraph, each with type, quota, used (FunctionGraph API, Querying Tenant Quotas)."""
    quotas: list[dict[str, Any]] = access.functiongraph.call("list_quotas", ListQuotasRequest(), "quotas")["quotas"][
        "resources"
    ]
    return quotas


def list_projects(access: Access) -> list[dict[str, Any]]:
    """Return the projects of the account (IAM API, Querying Project Information)."""
    projects: list[dict[str, Any]] = access.iam.call(
        "keystone_list_projects", KeystoneListProjectsRequest(), "projects"
    )["projects"]
    return projects


def list_inherited_policies(access: Access, agency_id: str) -> list[dict[str, Any]]:
    """Return what an agency is granted on all projects (IAM API, Querying All Permissions of an Agency)."""
    request = ListAllProjectsPermissionsForAgencyRequest(domain_id=access.domain_id, agency_id=agency_id)
    roles: list[dict[str, Any]] = access.iam.call("list_all_projects_permissions_for_agency", request, "roles")["roles"]
    return roles
