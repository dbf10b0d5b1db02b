"""Custom policies of IAM (IAM API, Custom Policy Management)."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from huaweicloudsdkiam.v3 import (
    CreateCloudServiceCustomPolicyRequest,
    DeleteCustomPolicyRequest,
    ListCustomPoliciesRequest,
    UpdateCloudServiceCustomPolicyRequest,
)

from cli.huaweicloud.access import Access
from cli.huaweicloud.errors import ServiceError
from cli.huaweicloud.mark import marked, read_mark
from cli.huaweicloud.resources import Found, Kind, Resource, named_or_own
from cli.json_value import Json


PAGE = 300
IN_PROJECTS = "XA"
"""The ``type`` of a policy that is granted on projects."""


class Policies:
    """The custom policies of the account, by the name that people see."""

    def __init__(self, access: Access, stack: str) -> None:
        self._access = access
        self._stack = stack
        self._made: dict[str, str] = {}  # a list may lag behind

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 a policy is part of nothing
        """Return the policies with one of *names* or with the mark of *stack*."""
        return named_or_own(map(self._found, self._roles()), names, stack)

    def id_of(self, name: str) -> str:
        """Return the id of the policy *name*. Raises ServiceError when there is none."""
        if name in self._made:
            return self._made[name]
        for role in self._roles():
            if role["display_name"] == name:
                return str(role["id"])
        raise ServiceError("IAM.ListCustomPolicies", None, None, f"there is no custom policy {name}")

    def create(self, wanted: Resource) -> None:
        """POST it."""
        request = CreateCloudServiceCustomPolicyRequest(body=self._body(wanted))
        answer = self._access.iam.call("create_cloud_service_custom_policy", request, "role")
        self._made[wanted.name] = answer["role"]["id"]

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:  # noqa: ARG002 it is replaced as a whole
        """PATCH it, with everything in it."""
        request = UpdateCloudServiceCustomPolicyRequest(role_id=found.id, body=self._body(wanted))
        self._access.iam.call("update_cloud_service_custom_policy", request)

    def delete(self, found: Found) -> None:
        """DELETE it."""
        self._access.iam.delete("delete_custom_policy", DeleteCustomPolicyRequest(role_id=found.id))

    def _roles(self) -> Iterator[dict[str, Any]]:
        return self._access.iam.numbered_pages("list_custom_policies", ListCustomPoliciesRequest(), "roles", PAGE)

    def _body(self, wanted: Resource) -> dict[str, Any]:
        description = marked(str(wanted.fields["description"]), self._stack, self._access.project_id)
        return {
            "role": {
                "display_name": wanted.name,
                "type": IN_PROJECTS,
                "description": description,
                "policy": wanted.fields["policy"],
            }
        }

    def _found(self, role: dict[str, Any]) -> Found:
        description, stack = read_mark(role.get("description"), self._access.project_id)
        fields = {"policy": _plain(role["policy"]), "description": description}
        return Found(Resource(Kind.POLICY, role["display_name"], fields), role["id"], stack)


def _plain(policy: dict[str, Any]) -> Json:
    """A policy document without what is empty, its actions in order: what does not matter is no difference."""
    statements: list[Json] = [
        {key: sorted(value) if key == "Action" else value for key, value in statement.items() if value}
        for statement in policy.get("Statement") or []
    ]
    return {"Version": policy.get("Version"), "Statement": statements}
