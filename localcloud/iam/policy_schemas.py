"""The bodies of requests and responses about policies of both models.

Sources: IAM API, Custom Policy Management; for identity policies the new edition of the IAM API, Managing Identity
Policies and Managing Permissions.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from localcloud.iam.schemas import Links, Text


Action = Annotated[str, Field(pattern=r"^[a-z0-9*-]+:[A-Za-z0-9*_-]+:[A-Za-z0-9*_-]+$")]


Resource = Annotated[str, Field(pattern=r"^(\*|[a-z0-9*-]+:[^:]*:[^:]*:[A-Za-z0-9*]+:.+)$")]
"""``*``, or ``<service>:<region>:<account id>:<type>:<id>`` with wildcards (IAM, Identity Policy Syntax)."""


Operator = Literal["StringEquals", "StringNotEquals", "StringMatch"]
ConditionKey = Literal["g:EnterpriseProjectId"]


class Error(BaseModel):
    """An error of the new edition of the IAM API."""

    error_code: str
    error_msg: str
    request_id: str


class AgencyResource(BaseModel):
    """The agencies that an agency custom policy applies to."""

    uri: Annotated[list[str], Field(min_length=1)]


class Statement(BaseModel):
    """Actions that are allowed or denied. Conditions and other resources are rejected: they are not evaluated here."""

    model_config = ConfigDict(extra="forbid")

    effect: Annotated[Literal["Allow", "Deny"], Field(alias="Effect")]
    action: Annotated[list[Action], Field(alias="Action", min_length=1, max_length=100)]
    resource: Annotated[AgencyResource | None, Field(alias="Resource")] = None


class PolicyDocument(BaseModel):
    """The document of a custom policy."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[Literal["1.1"], Field(alias="Version")]
    statement: Annotated[list[Statement], Field(alias="Statement", min_length=1, max_length=8)]


class PolicyOption(BaseModel):
    """A custom policy as given for creating and modifying it."""

    display_name: Text
    type: Literal["AX", "XA"]
    description: str
    description_cn: str = ""
    policy: PolicyDocument


class Role(BaseModel):
    role: PolicyOption


class Link(BaseModel):
    self: str


class CustomPolicy(BaseModel):
    """A custom policy as IAM returns it. Times are milliseconds since the epoch."""

    id: str
    name: str
    display_name: str
    type: str
    description: str
    description_cn: str
    catalog: str
    domain_id: str
    policy: dict[str, Any]
    references: int
    created_time: str
    updated_time: str
    links: Link


class CustomPolicyResponse(BaseModel):
    role: CustomPolicy


class CustomPolicies(BaseModel):
    roles: list[CustomPolicy]
    links: Links
    total_number: int


class GrantedPolicies(BaseModel):
    roles: list[CustomPolicy]


class EnterpriseProjectGrant(BaseModel):
    """A custom policy of an agency in an enterprise project."""

    agency_id: Annotated[str, Field(min_length=1)]
    enterprise_project_id: Annotated[str, Field(min_length=1)]
    role_id: Annotated[str, Field(min_length=1)]


class EnterpriseProjectGrants(BaseModel):
    role_assignments: Annotated[list[EnterpriseProjectGrant], Field(min_length=1, max_length=250)]


class Id(BaseModel):
    id: str


class AssignmentScope(BaseModel):
    """Where a policy is granted."""

    enterprise_project: Id


class RoleAssignment(BaseModel):
    """A grant, as the permissions assignment records have it."""

    agency: Id
    role: Id
    scope: AssignmentScope
    is_inherited: bool = False


class RoleAssignments(BaseModel):
    role_assignments: list[RoleAssignment]
    total_num: int


class IdentityStatement(BaseModel):
    """Actions that are allowed or denied on resources.

    A condition is on the enterprise project of an instance. Other conditions are rejected: they are not evaluated here.
    """

    model_config = ConfigDict(extra="forbid")

    sid: Annotated[str | None, Field(alias="Sid")] = None
    effect: Annotated[Literal["Allow", "Deny"], Field(alias="Effect")]
    action: Annotated[list[Action], Field(alias="Action", min_length=1)]
    resource: Annotated[list[Resource], Field(alias="Resource", min_length=1)] = ["*"]
    condition: Annotated[dict[Operator, dict[ConditionKey, list[str]]] | None, Field(alias="Condition")] = None


class IdentityDocument(BaseModel):
    """The document of an identity policy."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[Literal["5.0"], Field(alias="Version")]
    statement: Annotated[list[IdentityStatement], Field(alias="Statement", min_length=1)]


class NewIdentityPolicy(BaseModel):
    """An identity policy. Its document is a JSON string."""

    policy_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+=.@-]{1,128}$")]
    policy_document: Annotated[str, Field(examples=['{"Version":"5.0","Statement":[]}'])]
    path: Annotated[str, Field(pattern=r"^([A-Za-z0-9.,+@=_-]+/)*$", max_length=512)] = ""
    description: Annotated[str, Field(max_length=1000)] = ""


class AgencyReference(BaseModel):
    agency_id: Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,64}$")]


class IdentityPolicy(BaseModel):
    """An identity policy as IAM returns it."""

    policy_type: Literal["custom"] = "custom"
    policy_name: str
    policy_id: str
    urn: str
    path: str
    default_version_id: Literal["v1"] = "v1"
    attachment_count: int
    description: str
    created_at: str
    updated_at: str


class IdentityPolicyResponse(BaseModel):
    policy: IdentityPolicy


class PageInfo(BaseModel):
    """All entries are on one page here."""

    next_marker: str | None = None
    current_count: int


class IdentityPolicies(BaseModel):
    policies: list[IdentityPolicy]
    page_info: PageInfo


class AttachedPolicy(BaseModel):
    policy_name: str
    policy_id: str
    urn: str
    attached_at: str


class AttachedPolicies(BaseModel):
    attached_policies: list[AttachedPolicy]
    page_info: PageInfo
