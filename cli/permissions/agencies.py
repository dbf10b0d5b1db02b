"""The agencies of a template: the actions that each needs, and the policies that allow them.

An agency needs what the code of its functions calls (their ``Permissions``) and what FunctionGraph itself does under it
for their destinations, triggers and VPC. The latter is from the FunctionGraph User Guide, Configuring Agency
Permissions, table "Common actions", column "Fine-Grained Minimum Permission". EventGrid triggers are not part of it:
they have an agency of their own, in their property ``agency``.

Calls that make or change an instance are confined to the enterprise project of the restore drills. An identity policy
does that by a condition. A custom policy has no conditions: the confined actions have one of their own, which is
granted on the enterprise project and not on the project (IAM API, Granting Permissions to Agencies Associated with
Specified Enterprise Projects, iam_02_0633). Without an enterprise project, nothing allows them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any, NamedTuple

from cli.json_value import Json, JsonObject
from cli.preflight.functions import known_function
from cli.template.document import REFERENCE
from cli.template.model import Destination, Function, Template
from shared.cloud.operations import LIST_DATABASES, OPERATIONS, PUBLISH_MESSAGE, Operation


TRUSTED_SERVICE = "op_svc_cff"
"""FunctionGraph's name as the trusted party of an agency: ``trust_domain_name`` (IAM API, Creating an Agency)."""


class PlatformAction(NamedTuple):
    """An action that FunctionGraph itself needs under an agency."""

    action: str
    identity_action: str
    """The action in an identity policy. If it differs, ``action`` is its alias there."""
    reason: str
    """What FunctionGraph does, such as ``sends to an SMN topic``."""


_TOPIC_URN = re.compile(r"urn:smn:(?P<region>[a-z0-9-]+):[^:]+:(?P<topic>[^:]+)")
_ANY_TOPIC = "smn:*:*:topic:*"

ENTERPRISE_PROJECT = "DRILL_ENTERPRISE_PROJECT_ID"
"""The setting with the enterprise project that confined operations are allowed in."""

CONDITION_KEY = "g:EnterpriseProjectId"
"""The enterprise project of a resource (DDS API, Actions Supported by Identity Policy-based Authorization)."""

_SMN = "sends to an SMN topic"
_VPC = "reaches into a VPC"
_DMS = "reads the instance of a Kafka or RabbitMQ trigger"

_SMN_DESTINATION = (
    PlatformAction("smn:topic:publish", "smn:topic:publish", _SMN),
    PlatformAction("smn:topic:list", "smn:topic:listTopic", _SMN),
)
# The union of two official lists: "vpc:ports:delete" is in Configuring Networks, the others are in Common actions.
_VPC_ACTIONS = (
    "vpc:ports:create",
    "vpc:ports:delete",
    "vpc:ports:get",
    "vpc:securityGroups:get",
    "vpc:subnets:get",
    "vpc:vips:delete",
    "vpc:vpcs:get",
)
_VPC_ACCESS = tuple(PlatformAction(action, action, _VPC) for action in _VPC_ACTIONS)
_DMS_TRIGGER = PlatformAction("dms:instance:get", "dms:instance:get", _DMS)
_DMS_QUEUES = frozenset({"KAFKA", "RABBITMQ"})

_DESTINATIONS_BY_HAND = {
    "OBS": "OBS, a global service that a project-level policy cannot cover: add a global policy with"
    " obs:bucket:HeadBucket, obs:bucket:CreateBucket and obs:object:PutObject",
    "DIS": "DIS, which has no fine-grained actions: add the role DIS Administrator",
    "FunctionGraph": "a function, for which FunctionGraph documents no action: add what your region asks for",
}


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency that FunctionGraph assumes for some functions. Its custom policy has the same name."""

    name: str
    functions: tuple[str, ...]
    """The names of the functions, in the order of the template."""
    operations: tuple[Operation, ...]
    """What the code of these functions calls."""
    platform: tuple[PlatformAction, ...]
    """What FunctionGraph itself needs."""
    topics: tuple[str, ...]
    """The topics that its functions and FunctionGraph publish to, as resources of an identity policy."""
    by_hand: tuple[str, ...]
    """Sentences about what the functions need besides, and the policies here cannot allow."""
    enterprise_project: str = ""
    """The id of the enterprise project that confined operations are allowed in, or a reference to it. Empty: none."""

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions that a custom policy (IAM's role/policy model) has to allow on the project."""
        open_ones = chain[Operation | PlatformAction](self._open, self.platform)
        return _sorted(
            chain((need.action for need in open_ones), *(operation.dependencies for operation in self._confined))
        )

    @property
    def confined_actions(self) -> tuple[str, ...]:
        """The actions that a custom policy has to allow on the enterprise project alone."""
        return _sorted(operation.action for operation in self._confined)

    @property
    def confined_policy_name(self) -> str:
        """The name of the custom policy with the confined actions."""
        return f"{self.name}-instances"

    @property
    def identity_actions(self) -> tuple[str, ...]:
        """The actions that an identity policy has to allow without a condition."""
        confined = (operation for operation in self._confined if not operation.has_condition)
        return _sorted(
            chain(_identity_names((*self._open, *confined)), (need.identity_action for need in self.platform))
        )

    @property
    def confined_identity_actions(self) -> tuple[str, ...]:
        """The actions that an identity policy has to allow in the enterprise project alone."""
        return _sorted(_identity_names(operation for operation in self._confined if operation.has_condition))

    @property
    def withheld(self) -> tuple[Operation, ...]:
        """The confined operations that nothing allows, because there is no enterprise project."""
        return () if self.enterprise_project else tuple(one for one in self.operations if one.is_confined)

    @property
    def _open(self) -> tuple[Operation, ...]:
        return tuple(operation for operation in self.operations if not operation.is_confined)

    @property
    def _confined(self) -> tuple[Operation, ...]:
        """The confined operations, if they are allowed anywhere."""
        return tuple(operation for operation in self.operations if operation.is_confined and self.enterprise_project)


def _identity_names(operations: Iterable[Operation]) -> Iterator[str]:
    return (name for operation in operations for name in (operation.identity_action, *operation.other_names))


def _sorted(actions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(actions)))


def agencies(template: Template) -> tuple[Agency, ...]:
    """Return the agencies of all functions with permissions. An agency has the permissions of all its functions.

    An agency whose functions have no permissions is left out: it exists already and is managed elsewhere.
    """
    return tuple(_agency(name, users, template) for name, users in _users(template).items() if _is_managed(users))


def existing_agencies(template: Template) -> tuple[Agency, ...]:
    """Return the other agencies, whose functions have no permissions, with what these functions are known to call."""
    known = {name: users for name, users in _users(template).items() if not _is_managed(users)}
    return tuple(_agency(name, [*map(_with_operations, users)], template) for name, users in known.items())


def _users(template: Template) -> dict[str, list[Function]]:
    """Return the functions of each agency."""
    users: dict[str, list[Function]] = {}
    for function in template.functions:
        if function.agency is not None:
            users.setdefault(function.agency, []).append(function)
    return users


def _is_managed(users: Iterable[Function]) -> bool:
    return any(user.permissions for user in users)


def _with_operations(function: Function) -> Function:
    known = known_function(function)
    return replace(function, permissions=known.operations) if known else function


def _agency(name: str, functions: list[Function], template: Template) -> Agency:
    topics = {topic.resource: topic.name for topic in template.topics}
    names = {permission for function in functions for permission in function.permissions}
    return Agency(
        name=name,
        functions=tuple(function.name for function in functions),
        operations=tuple(OPERATIONS[permission] for permission in sorted(names)),
        platform=tuple(dict.fromkeys(need for function in functions for need in _platform_actions(function))),
        topics=_sorted(topic for function in functions for topic in _topics(function, topics)),
        by_hand=tuple(dict.fromkeys(need for function in functions for need in _by_hand(function))),
        enterprise_project=next(filter(None, (one.variables.get(ENTERPRISE_PROJECT) for one in functions)), ""),
    )


def _platform_actions(function: Function) -> Iterator[PlatformAction]:
    """Yield what FunctionGraph needs for the function's destinations, triggers and VPC, possibly with duplicates."""
    if any(one.destination == "SMN" for one in _destinations(function)):
        yield from _SMN_DESTINATION
    if any(event.type in _DMS_QUEUES for event in function.events):
        yield _DMS_TRIGGER
    if function.vpc_config:
        yield from _VPC_ACCESS


def _topics(function: Function, names: Mapping[str, str]) -> Iterator[str]:
    """Yield each topic of the function's settings and destinations. *names* has the topics of the template.

    The form is ``smn:<region>:<account id>:topic:<topic>``. Whether the topic is its name or its URN, which ends in the
    name, is not documented: ``*<name>`` matches both. The template knows neither the region of its own topics nor the
    account, and perhaps not a parameter in the name: each becomes ``*``.
    """
    given = [value for name, value in function.variables.items() if name.endswith("TOPIC_URN")]
    given += [str(one.param.get("topic_urn")) for one in _destinations(function) if one.destination == "SMN"]
    for value in given:
        whole, urn = REFERENCE.fullmatch(value), _TOPIC_URN.fullmatch(value)
        if whole and whole[1] in names:
            yield f"smn:*:*:topic:*{REFERENCE.sub('*', names[whole[1]]).lstrip('*')}"
        elif urn:
            yield f"smn:{urn['region']}:*:topic:*{REFERENCE.sub('*', urn['topic']).lstrip('*')}"
        else:
            yield _ANY_TOPIC


def _by_hand(function: Function) -> Iterator[str]:
    """Yield a sentence for each thing that the function needs and the policies here cannot allow."""
    if function.vpc_config:
        # FunctionGraph User Guide, Configuring Networks: the VPC's network card replaces the default one.
        yield (
            f"{function.name} is in a VPC and reaches DDS and SMN only through it: give the VPC a public NAT gateway"
            " with an EIP, unless it reaches their endpoints in another way."
        )
    if LIST_DATABASES.name in function.permissions and function.variables.get(ENTERPRISE_PROJECT):
        yield (
            f"{function.name} lists databases. That {LIST_DATABASES.action} in a custom policy allows this is not"
            f" documented: if DDS refuses, attach an identity policy with {LIST_DATABASES.identity_action}."
        )
    for destination in (one.destination for one in _destinations(function)):
        if destination in _DESTINATIONS_BY_HAND:
            yield f"{function.name} sends to {_DESTINATIONS_BY_HAND[destination]}."


def _destinations(function: Function) -> list[Destination]:
    settings = function.async_invoke
    both = (settings.on_success, settings.on_failure) if settings else ()
    return [destination for destination in both if destination]


def custom_policy(agency: Agency) -> JsonObject:
    """Return a custom policy for the project of the functions. All its actions are of project-level services.

    It names no resources: neither DDS nor SMN documents how this model writes a backup or a topic.
    """
    return {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": [*agency.actions]}]}


def confined_policy(agency: Agency) -> JsonObject | None:
    """Return the custom policy to grant on the agency's enterprise project, or None if there is nothing to allow."""
    if not agency.confined_actions:
        return None
    return {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": [*agency.confined_actions]}]}


def identity_policy(agency: Agency) -> JsonObject:
    """Return a custom identity policy, which allows publishing to the agency's topics only.

    It allows changing an instance in the agency's enterprise project only. DDS knows no condition for making one.

    The resource of all other actions is ``*``: a backup has no resource type (DDS API, Actions Supported by Identity
    Policy-based Authorization), an instance of a drill has no id before it exists, and a list of topics names none.
    Publishing takes the URN of a topic (SMN API, the page of the same name).
    """
    publish = PUBLISH_MESSAGE.identity_action
    statements: list[Json] = []
    if others := [action for action in agency.identity_actions if action != publish]:
        statements.append({"Effect": "Allow", "Action": [*others], "Resource": ["*"]})
    if confined := agency.confined_identity_actions:
        condition: JsonObject = {"StringEquals": {CONDITION_KEY: [agency.enterprise_project]}}
        statements.append({"Effect": "Allow", "Action": [*confined], "Resource": ["*"], "Condition": condition})
    if publish in agency.identity_actions:
        topics = agency.topics or (_ANY_TOPIC,)
        statements.append({"Effect": "Allow", "Action": [publish], "Resource": [*topics]})
    return {"Version": "5.0", "Statement": statements}


ROLE = "1.0"
"""The version of system-defined roles, which allow more than their actions say (IAM API, Custom Policy Management)."""


def has_role(documents: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a system-defined role is among the policies."""
    return any(document.get("Version") == ROLE for document in documents)


def missing_actions(agency: Agency, documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the actions that *agency* needs and that the policies do not allow, or deny."""
    allowed, denied = allowed_actions(documents), _patterns(documents, "Deny")
    return [action for action in agency.actions if not _matches(allowed, action) or _matches(denied, action)]


def allowed_actions(documents: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the actions that the policies allow, in lower case, perhaps with wildcards."""
    return _patterns(documents, "Allow")


def _patterns(documents: Iterable[Mapping[str, Any]], effect: str) -> set[str]:
    # Actions are case-insensitive (IAM API, Creating a Custom Policy).
    statements = [statement for document in documents for statement in document.get("Statement") or ()]
    return {str(action).lower() for one in statements if one["Effect"] == effect for action in one.get("Action") or ()}


def _matches(patterns: Iterable[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern) for pattern in patterns)
