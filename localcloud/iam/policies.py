"""What agencies are allowed to do: custom policies that are granted, and identity policies that are attached.

Sources: IAM API, Custom Policy Management and Agency Management; for identity policies the new edition of the IAM API.
"""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import replace

from pydantic import ValidationError

from localcloud.auth.authorization import Document
from localcloud.clock import text
from localcloud.errors import CloudError
from localcloud.iam import policy_schemas as schemas
from localcloud.iam.errors import conflict, not_found
from localcloud.iam.state import (
    ENTERPRISE_PROJECTS,
    Attachment,
    CustomPolicy,
    Grant,
    IamState,
    IdentityPolicy,
)


def create(state: IamState, option: schemas.PolicyOption) -> CustomPolicy:
    """Create a custom policy. Raises 409 if the display name is taken."""
    _check_display_name(state, option.display_name)
    taken = {policy.name for policy in state.policies}
    names = (f"custom_{state.region.domain_id}_{number}" for number in itertools.count())
    now = state.region.clock.now()
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
    state.policies.put(policy)
    return policy


def update(state: IamState, policy_id: str, option: schemas.PolicyOption) -> CustomPolicy:
    """Replace the content of a custom policy, which keeps its grants. Raises 404, or 409 as `create` does."""
    policy = state.policy(policy_id)
    _check_display_name(state, option.display_name, but=policy_id)
    policy = replace(
        policy,
        display_name=option.display_name,
        type=option.type,
        description=option.description,
        description_cn=option.description_cn,
        document=option.policy.model_dump(by_alias=True, exclude_none=True),
        updated=state.region.clock.now(),
    )
    state.policies.put(policy)
    return policy


def delete(state: IamState, policy_id: str) -> None:
    """Delete a custom policy and revoke it from every agency. Raises 404."""
    state.policies.remove(state.policy(policy_id).id)
    for grant in [grant for grant in state.grants if grant.policy_id == policy_id]:
        state.grants.remove(grant.id)


def grant_to(state: IamState, scope: str, agency_id: str, policy_id: str) -> None:
    """Grant a custom policy to an agency. Repeating it changes nothing. Raises 404."""
    state.agency(agency_id)
    state.policy(policy_id)
    state.grants.put(Grant(f"{scope}/{agency_id}/{policy_id}", scope, agency_id, policy_id))


def find_grant(state: IamState, scope: str, agency_id: str, policy_id: str) -> Grant:
    """The grant of a custom policy to an agency. Raises 404 if there is none."""
    grant = state.grants.get(f"{scope}/{agency_id}/{policy_id}")
    if grant is None:
        raise not_found("role", policy_id)
    return grant


def revoke(state: IamState, scope: str, agency_id: str, policy_id: str) -> None:
    """Revoke a custom policy from an agency. Raises 404."""
    state.grants.remove(find_grant(state, scope, agency_id, policy_id).id)


def grants_on_enterprise_projects(state: IamState, agency_id: str | None) -> Iterator[Grant]:
    """The grants on enterprise projects, of one agency or of all."""
    for grant in state.grants:
        if grant.scope.startswith(ENTERPRISE_PROJECTS) and agency_id in (None, grant.agency_id):
            yield grant


def assignment(grant: Grant) -> schemas.RoleAssignment:
    """A grant on an enterprise project as IAM lists it."""
    place = schemas.Id(id=grant.scope.removeprefix(ENTERPRISE_PROJECTS))
    scope = schemas.AssignmentScope(enterprise_project=place)
    return schemas.RoleAssignment(
        agency=schemas.Id(id=grant.agency_id), role=schemas.Id(id=grant.policy_id), scope=scope
    )


def granted(state: IamState, scope: str, agency_id: str) -> Iterator[CustomPolicy]:
    """The custom policies granted to an agency in a scope. Raises 404 for an unknown agency."""
    state.agency(agency_id)
    for grant in state.grants:
        if (grant.scope, grant.agency_id) == (scope, agency_id):
            yield state.policy(grant.policy_id)


def view(state: IamState, policy: CustomPolicy, url: str) -> schemas.CustomPolicy:
    """A custom policy as IAM returns it, with links below the base URL `url`."""
    return schemas.CustomPolicy(
        id=policy.id,
        name=policy.name,
        display_name=policy.display_name,
        type=policy.type,
        description=policy.description,
        description_cn=policy.description_cn,
        catalog="CUSTOMED",
        domain_id=state.region.domain_id,
        policy=policy.document,
        references=sum(grant.policy_id == policy.id for grant in state.grants),
        created_time=str(int(policy.created * 1000)),
        updated_time=str(int(policy.updated * 1000)),
        links=schemas.Link(self=f"{url}/v3/roles/{policy.id}"),
    )


def create_identity_policy(state: IamState, new: schemas.NewIdentityPolicy) -> IdentityPolicy:
    """Create an identity policy. Raises 409 if the name is taken, 400 for an invalid document."""
    if any(policy.name == new.policy_name for policy in state.identity_policies):
        raise conflict(f"The policy {new.policy_name} already exists.")
    policy = IdentityPolicy(
        id=str(uuid.uuid4()),
        name=new.policy_name,
        path=new.path,
        description=new.description,
        document=_parse_document(new.policy_document),
        created=state.region.clock.now(),
    )
    state.identity_policies.put(policy)
    return policy


def delete_identity_policy(state: IamState, policy_id: str) -> None:
    """Delete an identity policy. Raises 404, or 409 while it is attached."""
    state.identity_policy(policy_id)
    if _attachment_count(state, policy_id):
        raise conflict("The policy is attached.")
    state.identity_policies.remove(policy_id)


def attach(state: IamState, policy_id: str, agency_id: str) -> None:
    """Attach an identity policy to an agency. Repeating it changes nothing. Raises 404."""
    state.identity_policy(policy_id)
    state.agency(agency_id)
    key = f"{agency_id}/{policy_id}"
    if state.attachments.get(key) is None:
        state.attachments.put(Attachment(key, agency_id, policy_id, state.region.clock.now()))


def detach(state: IamState, policy_id: str, agency_id: str) -> None:
    """Detach an identity policy from an agency. Raises 404."""
    key = f"{agency_id}/{policy_id}"
    if state.attachments.get(key) is None:
        raise not_found("policy", policy_id)
    state.attachments.remove(key)


def attached(state: IamState, agency_id: str) -> list[schemas.AttachedPolicy]:
    """The identity policies attached to an agency. Raises 404 for an unknown agency."""
    state.agency(agency_id)
    found = []
    for attachment in state.attachments:
        if attachment.agency_id == agency_id:
            policy = state.identity_policy(attachment.policy_id)
            found.append(
                schemas.AttachedPolicy(
                    policy_name=policy.name,
                    policy_id=policy.id,
                    urn=_urn(state, policy),
                    attached_at=text(attachment.attached),
                )
            )
    return found


def identity_view(state: IamState, policy: IdentityPolicy) -> schemas.IdentityPolicy:
    """An identity policy as IAM returns it."""
    return schemas.IdentityPolicy(
        policy_name=policy.name,
        policy_id=policy.id,
        urn=_urn(state, policy),
        path=policy.path,
        attachment_count=_attachment_count(state, policy.id),
        description=policy.description,
        created_at=text(policy.created),
        updated_at=text(policy.created),
    )


def _check_display_name(state: IamState, display_name: str, *, but: str | None = None) -> None:
    if any(policy.display_name == display_name and policy.id != but for policy in state.policies):
        raise conflict(f"The policy {display_name} already exists.")


def _attachment_count(state: IamState, policy_id: str) -> int:
    return sum(attachment.policy_id == policy_id for attachment in state.attachments)


def _urn(state: IamState, policy: IdentityPolicy) -> str:
    return f"iam::{state.region.domain_id}:policy:{policy.path}{policy.name}"


def _parse_document(given: str) -> Document:
    try:
        return schemas.IdentityDocument.model_validate_json(given).model_dump(by_alias=True, exclude_none=True)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise CloudError(400, "PAP5.0011", f"malformed policy document: {where}: {problem['msg']}") from error
