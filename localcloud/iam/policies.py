"""Custom policies (IAM API, Custom Policy Management) and what they are granted to (Agency Management)."""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import replace

from localcloud.auth.policies import Document
from localcloud.iam.agencies import Agencies
from localcloud.iam.errors import conflict, not_found
from localcloud.iam.facts import CustomPolicy, Grant
from localcloud.iam.policy_schemas import PolicyOption
from localcloud.region import Region
from localcloud.store import Store


ALL_PROJECTS = "all-projects"


class Policies:
    """The custom policies of the account, and which agency has which of them where."""

    def __init__(self, region: Region, store: Store, agencies: Agencies) -> None:
        self.region = region
        self.table = store.table("custom_policy", CustomPolicy)
        self.grants = store.table("grant", Grant)
        self._agencies = agencies

    def create(self, option: PolicyOption) -> CustomPolicy:
        """Create a custom policy. Raises 409 when there is one of that display name."""
        self._check_name(option.display_name, None)
        now = self.region.clock.now()
        taken = {policy.name for policy in self.table}
        names = (f"custom_{self.region.domain_id}_{number}" for number in itertools.count())
        policy = CustomPolicy(
            id=uuid.uuid4().hex,
            name=next(name for name in names if name not in taken),
            display_name=option.display_name,
            type=option.type,
            description=option.description,
            description_cn=option.description_cn,
            document=option.policy.model_dump(by_alias=True, exclude_none=True),
            created=now,
            updated=now,
        )
        self.table.put(policy)
        return policy

    def update(self, policy_id: str, option: PolicyOption) -> CustomPolicy:
        """Put another content in a custom policy. Raises 404, and 409 as `create` does."""
        policy = self.find(policy_id)
        self._check_name(option.display_name, policy_id)
        policy = replace(
            policy,
            display_name=option.display_name,
            type=option.type,
            description=option.description,
            description_cn=option.description_cn,
            document=option.policy.model_dump(by_alias=True, exclude_none=True),
            updated=self.region.clock.now(),
        )
        self.table.put(policy)
        return policy

    def find(self, policy_id: str) -> CustomPolicy:
        """The custom policy with this id. Raises 404."""
        policy = self.table.get(policy_id)
        if policy is None:
            raise not_found("role", policy_id)
        return policy

    def delete(self, policy_id: str) -> None:
        """Delete a custom policy and take it from every agency. Raises 404."""
        self.find(policy_id)
        self.table.remove(policy_id)
        for grant in [grant for grant in self.grants if grant.policy_id == policy_id]:
            self.grants.remove(grant.id)

    def grant(self, scope: str, agency_id: str, policy_id: str) -> None:
        """Grant a policy to an agency; once more changes nothing. Raises 404."""
        self._agencies.find(agency_id)
        self.find(policy_id)
        self.grants.put(Grant(f"{scope}/{agency_id}/{policy_id}", scope, agency_id, policy_id))

    def check(self, scope: str, agency_id: str, policy_id: str) -> Grant:
        """The grant, 404 if there is none."""
        grant = self.grants.get(f"{scope}/{agency_id}/{policy_id}")
        if grant is None:
            raise not_found("role", policy_id)
        return grant

    def revoke(self, scope: str, agency_id: str, policy_id: str) -> None:
        """Take a policy from an agency. Raises 404."""
        self.grants.remove(self.check(scope, agency_id, policy_id).id)

    def revoke_all(self, agency_id: str) -> None:
        """Take every policy from an agency."""
        for grant in [grant for grant in self.grants if grant.agency_id == agency_id]:
            self.grants.remove(grant.id)

    def granted(self, scope: str, agency_id: str) -> Iterator[CustomPolicy]:
        """The policies that an agency has in a scope. Raises 404 for an unknown agency."""
        self._agencies.find(agency_id)
        for grant in self.grants:
            if (grant.scope, grant.agency_id) == (scope, agency_id):
                yield self.find(grant.policy_id)

    def documents(self, agency_id: str) -> Iterator[Document]:
        """What an agency's policies say of project-level services, which DDS and SMN are.

        What is granted for the account (a domain) counts for global services alone.
        """
        scopes = {ALL_PROJECTS, f"projects/{self.region.project_id}"}
        for grant in self.grants:
            if grant.agency_id == agency_id and grant.scope in scopes:
                yield self.find(grant.policy_id).document

    def _check_name(self, display_name: str, policy_id: str | None) -> None:
        if any(policy.display_name == display_name and policy.id != policy_id for policy in self.table):
            raise conflict(f"The policy {display_name} already exists.")
