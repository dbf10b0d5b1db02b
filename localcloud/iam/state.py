"""All that IAM keeps of agencies and what they may do."""

from collections.abc import Iterator

from localcloud.auth.credentials import Credentials
from localcloud.auth.policies import Document
from localcloud.iam.agencies import Agencies
from localcloud.iam.identity_policies import IdentityPolicies
from localcloud.iam.policies import Policies
from localcloud.region import Region
from localcloud.store import Store


class IamState:
    """Agencies and the policies that they have, in either model."""

    def __init__(self, region: Region, store: Store, credentials: Credentials) -> None:
        self.agencies = Agencies(region, store, credentials)
        self.policies = Policies(region, store, self.agencies)
        self.identity_policies = IdentityPolicies(region, store, self.agencies)

    def documents(self, agency_id: str) -> Iterator[Document]:
        """Every policy document that counts for an agency's calls: those of both models (IAM User Guide)."""
        yield from self.policies.documents(agency_id)
        yield from self.identity_policies.documents(agency_id)

    def delete_agency(self, agency_id: str) -> None:
        """Delete an agency and take all its policies from it. Raises 404."""
        self.agencies.find(agency_id)
        self.policies.revoke_all(agency_id)
        self.identity_policies.detach_all(agency_id)
        self.agencies.table.remove(agency_id)

    def clear(self) -> None:
        """Forget everything."""
        for table in (
            self.agencies.table,
            self.policies.table,
            self.policies.grants,
            self.identity_policies.table,
            self.identity_policies.attachments,
        ):
            table.clear()
