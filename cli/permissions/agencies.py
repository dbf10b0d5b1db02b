"""The agencies of a template: what each has to be allowed, from the permissions of the functions that share it."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from cli.permissions.platform import PlatformAction, by_hand, platform_actions
from cli.template.model import Function, Template
from shared.cloud.operations import OPERATIONS, Operation


TRUSTED_SERVICE = "op_svc_cff"
"""FunctionGraph's name as the trusted party of an agency: ``trust_domain_name`` (IAM API, Creating an Agency)."""


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency that FunctionGraph acts under for some functions. Its custom policy has its name."""

    name: str
    functions: tuple[str, ...]
    """The names of the functions, in the order of the template."""
    operations: tuple[Operation, ...]
    """What the code of these functions calls."""
    platform: tuple[PlatformAction, ...]
    """What FunctionGraph itself does under the agency, for destinations and triggers."""
    by_hand: tuple[str, ...]
    """What else it needs and no policy here can allow, as sentences for people."""

    @property
    def actions(self) -> tuple[str, ...]:
        """What a policy (IAM's role/policy model) has to allow."""
        return _sorted(need.action for need in self._needs())

    @property
    def identity_actions(self) -> tuple[str, ...]:
        """What an identity policy has to allow."""
        return _sorted(need.identity_action for need in self._needs())

    def _needs(self) -> Iterable[Operation | PlatformAction]:
        return chain[Operation | PlatformAction](self.operations, self.platform)


def agencies(template: Template) -> tuple[Agency, ...]:
    """Return the agencies of the functions with permissions; one that is shared is allowed what any of them needs.

    The agency of a function without permissions is left out: it exists already, and is looked after elsewhere.
    """
    functions: dict[str, list[Function]] = {}
    for function in template.functions:
        if function.agency is not None:
            functions.setdefault(function.agency, []).append(function)
    managed = {name: users for name, users in functions.items() if any(user.permissions for user in users)}
    return tuple(_agency(name, users) for name, users in managed.items())


def _agency(name: str, functions: list[Function]) -> Agency:
    names = {permission for function in functions for permission in function.permissions}
    return Agency(
        name=name,
        functions=tuple(function.name for function in functions),
        operations=tuple(OPERATIONS[permission] for permission in sorted(names)),
        platform=tuple(dict.fromkeys(need for function in functions for need in platform_actions(function))),
        by_hand=tuple(dict.fromkeys(need for function in functions for need in by_hand(function))),
    )


def _sorted(actions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(actions)))
