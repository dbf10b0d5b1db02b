"""The wanted resources, from the template, the values of its parameters and the packages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.errors import WrongCall
from cli.huaweicloud.iam import grant_on_enterprise_project
from cli.huaweicloud.resources import LONGEST_MARK, Kind, Resource, shortened, trigger_name
from cli.json_value import Json, JsonObject
from cli.package.model import Package
from cli.permissions.agencies import TRUSTED_SERVICE, Agency, agencies, confined_policy, custom_policy
from cli.template.document import fill_in
from cli.template.model import PASSWORDS, AsyncInvoke, Destination, Event, Function, Template, Topic


LONGEST_DESCRIPTION, LONGEST_IN_IAM = 512, 255
"""The maximum length of the description of a function and of an agency, with the mark (their APIs, Creating ...)."""

DEFAULT_RETRIES, DEFAULT_AGE = 1, 3600
"""FunctionGraph's defaults (FunctionGraph API, Configuring Asynchronous Invocation)."""


@dataclass(frozen=True, slots=True)
class Application:
    """A template with all parameters filled in except secrets, and the values that turn it into resources.

    Attributes:
        urns: the URN of each topic, by its name in the template's Resources.
        secrets: the values of the parameters that have NoEcho.
        packages: the package of each function, by function name. A function without a package can be compared, without
            its code, but not deployed.
    """

    template: Template
    urns: Mapping[str, str]
    secrets: Mapping[str, str]
    packages: Mapping[str, Package]

    def resources(self) -> list[Resource]:
        """Return all resources of the template except log groups, which FunctionGraph creates.

        Raises WrongCall for two resources of the same kind and name.
        """
        wanted = [
            *(resource for topic in self.template.topics for resource in _topic(topic)),
            *(resource for agency in agencies(self.template) for resource in _agency(agency)),
            *(resource for function in self.template.functions for resource in self._function(function)),
        ]
        seen = set()
        for resource in wanted:
            if resource.key in seen:
                raise WrongCall(f"the template has this twice: {resource.kind.value} {resource.name}")
            seen.add(resource.key)
        return wanted

    def _function(self, function: Function) -> Iterator[Resource]:
        package = self.packages.get(function.name)
        fields: JsonObject = {
            "runtime": f"Python{package.python}" if package else function.runtime,
            "handler": function.handler,
            "memory_size": function.memory_size,
            "timeout": function.timeout,
            "agency": function.agency,
            "description": shortened(function.description, LONGEST_DESCRIPTION - LONGEST_MARK),
            "variables": self._filled(dict(function.variables)),
            "initializer": function.initializer,
            "initializer_timeout": function.initializer_timeout if function.initializer else None,
            "log": True,
            "code": package.digest if package else "",
        }
        if function.vpc_config:
            fields["vpc"] = {"vpc_id": function.vpc_config.vpc_id, "subnet_id": function.vpc_config.subnet_id}
        yield Resource(Kind.FUNCTION, function.name, fields, code=package.path if package else None)
        parents = ((Kind.FUNCTION, function.name),)
        if function.async_invoke:
            settings = self._filled(_async_invoke(function.async_invoke))
            yield Resource(Kind.ASYNC_INVOCATION, function.name, settings, parents)
        for event in function.events:
            yield self._trigger(function.name, event)

    def _trigger(self, function: str, event: Event) -> Resource:
        given = {"name": event.name, **event.properties} if event.type == "TIMER" else dict(event.properties)
        data = self._filled({name: value for name, value in given.items() if name not in PASSWORDS})
        passwords = fill_in({name: given[name] for name in PASSWORDS if name in given}, self.secrets)
        fields: JsonObject = {"function": function, "type": event.type, "status": event.status, "event_data": data}
        name = trigger_name(function, event.type, data)
        return Resource(Kind.TRIGGER, name, fields, ((Kind.FUNCTION, function),), sent_only=passwords)

    def _filled(self, value: dict[str, Any]) -> dict[str, Any]:
        filled: dict[str, Any] = fill_in(value, self.urns)
        return filled


def _topic(topic: Topic) -> Iterator[Resource]:
    yield Resource(Kind.TOPIC, topic.name, {"display_name": topic.display_name})
    for given in topic.subscriptions:
        filter_policy: JsonObject = {
            name: list[Json](sorted(values)) for name, values in sorted(given.filter_policy.items())
        }
        yield Resource(
            Kind.SUBSCRIPTION,
            f"{topic.name} {given.protocol} {given.endpoint}",
            {
                "topic": topic.name,
                "protocol": given.protocol,
                "endpoint": given.endpoint,
                "filter_policy": filter_policy,
            },
            ((Kind.TOPIC, topic.name),),
            sent_only={"remark": given.remark},
        )


def _agency(agency: Agency) -> Iterator[Resource]:
    used_by = shortened(f"For {', '.join(agency.functions)}.", LONGEST_IN_IAM - LONGEST_MARK)
    yield Resource(Kind.POLICY, agency.name, {"policy": custom_policy(agency), "description": used_by})
    trust: JsonObject = {"trusts": TRUSTED_SERVICE, "duration": "FOREVER", "description": used_by}
    yield Resource(Kind.AGENCY, agency.name, trust)
    yield Resource(
        Kind.GRANT,
        f"{agency.name} to {agency.name}",
        {"agency": agency.name, "policy": agency.name},
        ((Kind.AGENCY, agency.name), (Kind.POLICY, agency.name)),
    )
    if confined := confined_policy(agency):
        name, place = agency.confined_policy_name, agency.enterprise_project
        yield Resource(Kind.POLICY, name, {"policy": confined, "description": used_by})
        yield grant_on_enterprise_project(agency.name, name, place)


def _async_invoke(given: AsyncInvoke) -> JsonObject:
    retries = DEFAULT_RETRIES if given.max_retry_attempts is None else given.max_retry_attempts
    age = DEFAULT_AGE if given.max_event_age is None else given.max_event_age
    return {
        "max_retry_attempts": retries,
        "max_event_age": age,
        "on_success": _destination(given.on_success),
        "on_failure": _destination(given.on_failure),
    }


def _destination(given: Destination | None) -> Json:
    return None if given is None else {"destination": given.destination, "param": dict(given.param)}
