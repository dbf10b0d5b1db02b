"""Agencies that are not deployed: they exist already, and their functions have no ``Permissions`` in the template."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.huaweicloud.access import Access
from cli.huaweicloud.iam import Agencies, list_policies
from cli.permissions.agencies import TRUSTED_SERVICE, Agency, existing_agencies, has_role, missing_actions
from cli.template.model import Template


@dataclass(frozen=True, slots=True)
class Existing:
    """An agency that the template names and does not describe, as it is in the account.

    Attributes:
        is_there: whether it exists.
        trusts: the account or service that may assume it.
        policies: the documents of its policies on the project and on all projects.
    """

    agency: Agency
    is_there: bool
    trusts: str
    policies: Sequence[Mapping[str, Any]]

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what was found and what is expected, for each thing that stops its functions."""
        if not self.is_there:
            yield "it does not exist", "an agency of the account, or Permissions in the template, to have it made"
            return
        if self.trusts != TRUSTED_SERVICE:
            yield f"it trusts {self.trusts}", f"{TRUSTED_SERVICE}, which is FunctionGraph"
        missing = missing_actions(self.agency, self.policies)
        if missing and has_role(self.policies):
            yield f"it has system-defined roles, but no policy that allows {', '.join(missing)}", "such a policy"
        elif missing:
            yield f"it may not {', '.join(missing)}", f"may {', '.join(self.agency.actions)}"


def look_up_existing(access: Access, template: Template) -> Iterator[Existing]:
    """Yield the agencies of *template* that are not deployed. Raises ServiceError."""
    for agency in existing_agencies(template):
        found = next(iter(Agencies(access, "").find([agency.name], "", ())), None)
        policies = list_policies(access, found.id) if found else []
        yield Existing(agency, found is not None, str(found.resource.fields["trusts"]) if found else "", policies)
