"""The state of IAM: agencies, and the policies of both models. Times are seconds since the epoch (UTC)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from localcloud.auth.authorization import GRANTED_ON, Document
from localcloud.auth.credentials import Credentials
from localcloud.iam.errors import not_found
from localcloud.region import Region
from localcloud.store import Store


HOUR = 3600
# The scope of a grant that applies to all projects.
ALL_PROJECTS = "all-projects"
# The beginning of the scope of a grant that applies to the resources of one enterprise project.
ENTERPRISE_PROJECTS = "enterprise-projects/"


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency, which lets another account or a service act for this account, for `hours` or indefinitely (None)."""

    id: str
    name: str
    trust_domain_id: str
    trust_domain_name: str
    description: str
    hours: int | None
    created: float

    @property
    def expires_at(self) -> float | None:
        """The time at which it expires, or None."""
        return None if self.hours is None else self.created + self.hours * HOUR


@dataclass(frozen=True, slots=True)
class CustomPolicy:
    """A custom policy. `type` is XA for project-level services, AX for global services."""

    id: str
    name: str
    display_name: str
    type: str
    description: str
    description_cn: str
    document: dict[str, Any]
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class Grant:
    """A custom policy granted to an agency.

    `scope` is ``projects/ID``, ``enterprise-projects/ID``, ``domains/ID`` or ``all-projects``.
    """

    id: str
    scope: str
    agency_id: str
    policy_id: str


@dataclass(frozen=True, slots=True)
class IdentityPolicy:
    """A custom identity policy."""

    id: str
    name: str
    path: str
    description: str
    document: dict[str, Any]
    created: float


@dataclass(frozen=True, slots=True)
class Attachment:
    """An identity policy attached to an agency."""

    id: str
    agency_id: str
    policy_id: str
    attached: float


class IamState:
    """The agencies of the account, its policies, and which agency has which of them."""

    def __init__(self, region: Region, store: Store, credentials: Credentials) -> None:
        self.region = region
        self.credentials = credentials
        self.agencies = store.table("agency", Agency)
        self.policies = store.table("custom_policy", CustomPolicy)
        self.grants = store.table("grant", Grant)
        self.identity_policies = store.table("identity_policy", IdentityPolicy)
        self.attachments = store.table("attachment", Attachment)

    def agency(self, agency_id: str) -> Agency:
        """The agency with this id. Raises 404."""
        agency = self.agencies.get(agency_id)
        if agency is None:
            raise not_found("agency", agency_id)
        return agency

    def policy(self, policy_id: str) -> CustomPolicy:
        """The custom policy with this id. Raises 404."""
        policy = self.policies.get(policy_id)
        if policy is None:
            raise not_found("role", policy_id)
        return policy

    def identity_policy(self, policy_id: str) -> IdentityPolicy:
        """The identity policy with this id. Raises 404."""
        policy = self.identity_policies.get(policy_id)
        if policy is None:
            raise not_found("policy", policy_id)
        return policy

    def documents(self, agency_id: str) -> Iterator[Document]:
        """The policy documents of both models that apply to calls of an agency to project-level services.

        DDS and SMN are project-level services. A policy granted on the account (a domain) applies to global services
        only (IAM User Guide). A policy granted on an enterprise project, which its document then names, applies to the
        resources in it.
        """
        scopes = {ALL_PROJECTS, f"projects/{self.region.project_id}"}
        for grant in self.grants:
            if grant.agency_id == agency_id and grant.scope in scopes:
                yield self.policy(grant.policy_id).document
            elif grant.agency_id == agency_id and grant.scope.startswith(ENTERPRISE_PROJECTS):
                place = grant.scope.removeprefix(ENTERPRISE_PROJECTS)
                yield {**self.policy(grant.policy_id).document, GRANTED_ON: place}
        for attachment in self.attachments:
            if attachment.agency_id == agency_id:
                yield self.identity_policy(attachment.policy_id).document

    def clear(self) -> None:
        """Remove all agencies and policies."""
        for table in (self.agencies, self.policies, self.grants, self.identity_policies, self.attachments):
            table.clear()
