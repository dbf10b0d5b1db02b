"""A stack: all that one deployment of the application has made in a project."""

from collections.abc import Iterator, Mapping, Sequence

from cli.huaweicloud.access import Access
from cli.huaweicloud.agencies import Agencies, Grants
from cli.huaweicloud.asynchronous import AsynchronousInvocations
from cli.huaweicloud.errors import ServiceError
from cli.huaweicloud.functions import Functions
from cli.huaweicloud.policies import Policies
from cli.huaweicloud.resources import Found, Kind, Resource, Service
from cli.huaweicloud.subscriptions import Subscriptions
from cli.huaweicloud.topics import Topics
from cli.huaweicloud.triggers import Triggers


def services(access: Access, stack: str) -> dict[Kind, Service]:
    """Return where the resources of each kind live, in the order of the kinds."""
    policies, agencies = Policies(access, stack), Agencies(access, stack)
    return {
        Kind.TOPIC: Topics(access, stack),
        Kind.SUBSCRIPTION: Subscriptions(access, stack),
        Kind.POLICY: policies,
        Kind.AGENCY: agencies,
        Kind.GRANT: Grants(access, agencies, policies),
        Kind.FUNCTION: Functions(access, stack),
        Kind.ASYNC_INVOCATION: AsynchronousInvocations(access),
        Kind.TRIGGER: Triggers(access),
    }


def look(
    where: Mapping[Kind, Service], stack: str, wanted: Sequence[Resource] = ()
) -> Iterator[tuple[Kind, list[Found]]]:
    """Yield, kind by kind, what the stack has and what has a name that is *wanted*.

    Raises ServiceError. Who deploys may be denied a look at kinds of which the template has none.
    """
    found: list[Found] = []
    for kind, service in where.items():
        names = {resource.name for resource in wanted if resource.kind is kind}
        try:
            here = list(service.find(names, stack, found))
        except ServiceError as error:
            if error.status != 403 or names or not wanted:
                raise
            here = []
        found += here
        yield kind, here
