"""What FunctionGraph does by itself under a function's agency, beyond the calls of its code.

From the FunctionGraph User Guide, Configuring Agency Permissions, table "Common actions", column "Fine-Grained Minimum
Permission". The trigger of EventGrid is not in it: it has an agency of its own, which its property ``agency`` names.
"""

from collections.abc import Iterator
from typing import NamedTuple

from cli.template.model import Function


class PlatformAction(NamedTuple):
    """An action that FunctionGraph needs."""

    action: str
    identity_action: str
    """In an identity policy; where it has another name there, the one above is its alias."""
    reason: str
    """What it is for, such as ``sends to an SMN topic``."""


_SMN = "sends to an SMN topic"
_NETWORK = "reaches into a VPC"
_DMS = "reads the instance of a Kafka or RabbitMQ trigger"

_SMN_DESTINATION = (
    PlatformAction("smn:topic:publish", "smn:topic:publish", _SMN),
    PlatformAction("smn:topic:list", "smn:topic:listTopic", _SMN),
)
# Of two official lists that differ, both: "vpc:ports:delete" is in Configuring Networks, the others in Common actions.
_VPC_ACTIONS = (
    "vpc:ports:create",
    "vpc:ports:delete",
    "vpc:ports:get",
    "vpc:securityGroups:get",
    "vpc:subnets:get",
    "vpc:vips:delete",
)
_VPC_ACCESS = tuple(PlatformAction(action, action, _NETWORK) for action in (*_VPC_ACTIONS, "vpc:vpcs:get"))
_DMS_TRIGGER = PlatformAction("dms:instance:get", "dms:instance:get", _DMS)
_DMS_QUEUES = frozenset({"KAFKA", "RABBITMQ"})

_DESTINATIONS_BY_HAND = {
    "OBS": "OBS, a global service, which a policy for a project cannot allow: add a global one with"
    " obs:bucket:HeadBucket, obs:bucket:CreateBucket and obs:object:PutObject",
    "DIS": "DIS, which has no actions to choose from: add the role DIS Administrator",
    "FunctionGraph": "a function, for which FunctionGraph documents no action: add what your region asks for",
}


def platform_actions(function: Function) -> Iterator[PlatformAction]:
    """Yield what the function's destinations, triggers and VPC need, not without repetitions."""
    if "SMN" in _destinations(function):
        yield from _SMN_DESTINATION
    if any(event.type in _DMS_QUEUES for event in function.events):
        yield _DMS_TRIGGER
    if function.vpc_config:
        yield from _VPC_ACCESS


def by_hand(function: Function) -> Iterator[str]:
    """Yield a sentence for each thing that the function needs and the custom policy cannot allow."""
    if function.vpc_config:
        # FunctionGraph User Guide, Configuring Networks: the VPC's network card takes the place of the default one.
        yield (
            f"{function.name} is in a VPC and reaches DDS and SMN only through it: give the VPC a public NAT gateway"
            " with an EIP, unless it reaches their endpoints in another way."
        )
    for destination in _destinations(function):
        if destination in _DESTINATIONS_BY_HAND:
            yield f"{function.name} sends to {_DESTINATIONS_BY_HAND[destination]}."


def _destinations(function: Function) -> list[str]:
    settings = function.async_invoke
    both = (settings.on_success, settings.on_failure) if settings else ()
    return [destination.destination for destination in both if destination]
