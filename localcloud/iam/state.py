"""All that IAM keeps of agencies and what they may do."""

from collections.abc import Iterator

from localcloud.auth.credentials import Credentials
from localcloud.auth.policies import Document
from localcloud.iam.agencies import Agencies
from localcloud.iam.policies import Policies
from localcloud.region import Region
from localcloud.store import Store


class IamState:
    """Agencies and the policies granted to them."""

    def __init__(self, region: Region, store: Store, credentials: Credentials) -> None:
        self.agencies = Agencies(region, store, credentials)
        self.policies = Policies(region, store, self.agencies)

    def documents(self, agency_id: str) -> Iterator[Document]:
        """Every policy document that counts for an agency's calls."""
        yield from self.policies.documents(agency_id)

    def clear(self) -> None:
        """Forget everything."""
        for table in (self.agencies.table, self.policies.table, self.policies.grants):
            table.clear()
