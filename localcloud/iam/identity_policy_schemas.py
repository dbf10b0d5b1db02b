"""The bodies of identity policies (IAM API, new edition, Managing Identity Policies and Managing Permissions)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from localcloud.iam.policy_schemas import Action


class Error(BaseModel):
    """An error of the new edition."""

    error_code: str
    error_msg: str
    request_id: str


class Statement(BaseModel):
    """What is allowed or denied. Resources other than all, and conditions, cannot be evaluated here: refused."""

    model_config = ConfigDict(extra="forbid")

    sid: Annotated[str | None, Field(alias="Sid")] = None
    effect: Annotated[Literal["Allow", "Deny"], Field(alias="Effect")]
    action: Annotated[list[Action], Field(alias="Action", min_length=1)]
    resource: Annotated[list[Literal["*"]], Field(alias="Resource", min_length=1)] = ["*"]


class Document(BaseModel):
    """The document of an identity policy."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[Literal["5.0"], Field(alias="Version")]
    statement: Annotated[list[Statement], Field(alias="Statement", min_length=1)]


class NewPolicy(BaseModel):
    """An identity policy; its document is JSON as text."""

    policy_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+=.@-]{1,128}$")]
    policy_document: Annotated[str, Field(examples=['{"Version":"5.0","Statement":[]}'])]
    path: Annotated[str, Field(pattern=r"^([A-Za-z0-9.,+@=_-]+/)*$", max_length=512)] = ""
    description: Annotated[str, Field(max_length=1000)] = ""


class AgencyReference(BaseModel):
    agency_id: Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,64}$")]


class Policy(BaseModel):
    """An identity policy as IAM answers it."""

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


class PolicyAnswer(BaseModel):
    policy: Policy


class PageInfo(BaseModel):
    """All is in one page here."""

    next_marker: str | None = None
    current_count: int


class Policies(BaseModel):
    policies: list[Policy]
    page_info: PageInfo


class AttachedPolicy(BaseModel):
    policy_name: str
    policy_id: str
    urn: str
    attached_at: str


class AttachedPolicies(BaseModel):
    attached_policies: list[AttachedPolicy]
    page_info: PageInfo
