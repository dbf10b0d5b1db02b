"""Identity policies and the agencies that they are attached to (IAM API, new edition)."""

import uuid
from collections.abc import Iterator

from pydantic import ValidationError

from localcloud.auth.policies import Document
from localcloud.errors import CloudError
from localcloud.iam import identity_policy_schemas as schemas
from localcloud.iam.agencies import Agencies
from localcloud.iam.errors import conflict, not_found
from localcloud.iam.facts import Attachment, IdentityPolicy
from localcloud.region import Region
from localcloud.store import Store


class IdentityPolicies:
    """The custom identity policies of the account, and which agency has which of them."""

    def __init__(self, region: Region, store: Store, agencies: Agencies) -> None:
        self.region = region
        self.table = store.table("identity_policy", IdentityPolicy)
        self.attachments = store.table("attachment", Attachment)
        self._agencies = agencies

    def create(self, new: schemas.NewPolicy) -> IdentityPolicy:
        """Create an identity policy. Raises 409 when there is one of that name, 400 for a document that is none."""
        if any(policy.name == new.policy_name for policy in self.table):
            raise conflict(f"The policy {new.policy_name} already exists.")
        now = self.region.clock.now()
        document = _document(new.policy_document)
        policy = IdentityPolicy(str(uuid.uuid4()), new.policy_name, new.path, new.description, document, now)
        self.table.put(policy)
        return policy

    def find(self, policy_id: str) -> IdentityPolicy:
        """The identity policy with this id. Raises 404."""
        policy = self.table.get(policy_id)
        if policy is None:
            raise not_found("policy", policy_id)
        return policy

    def delete(self, policy_id: str) -> None:
        """Delete an identity policy. Raises 404, and 409 while it is attached."""
        self.find(policy_id)
        if self.count(policy_id):
            raise conflict("The policy is attached.")
        self.table.remove(policy_id)

    def count(self, policy_id: str) -> int:
        """How many agencies a policy is attached to."""
        return sum(attachment.policy_id == policy_id for attachment in self.attachments)

    def attach(self, policy_id: str, agency_id: str) -> None:
        """Attach a policy to an agency; once more changes nothing. Raises 404."""
        self.find(policy_id)
        self._agencies.find(agency_id)
        key = f"{agency_id}/{policy_id}"
        if self.attachments.get(key) is None:
            self.attachments.put(Attachment(key, agency_id, policy_id, self.region.clock.now()))

    def detach(self, policy_id: str, agency_id: str) -> None:
        """Detach a policy from an agency. Raises 404."""
        if self.attachments.get(f"{agency_id}/{policy_id}") is None:
            raise not_found("policy", policy_id)
        self.attachments.remove(f"{agency_id}/{policy_id}")

    def detach_all(self, agency_id: str) -> None:
        """Detach every policy from an agency."""
        for attachment, _ in list(self._attached(agency_id)):
            self.attachments.remove(attachment.id)

    def attached(self, agency_id: str) -> Iterator[tuple[Attachment, IdentityPolicy]]:
        """The policies attached to an agency. Raises 404."""
        self._agencies.find(agency_id)
        yield from self._attached(agency_id)

    def documents(self, agency_id: str) -> Iterator[Document]:
        """What the policies attached to an agency say."""
        return (policy.document for _, policy in self._attached(agency_id))

    def _attached(self, agency_id: str) -> Iterator[tuple[Attachment, IdentityPolicy]]:
        for attachment in self.attachments:
            if attachment.agency_id == agency_id:
                yield attachment, self.find(attachment.policy_id)


def _document(text: str) -> Document:
    try:
        return schemas.Document.model_validate_json(text).model_dump(by_alias=True, exclude_none=True)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise CloudError(400, "PAP5.0011", f"malformed policy document: {where}: {problem['msg']}") from error
