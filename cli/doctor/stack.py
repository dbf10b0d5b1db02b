"""A stack as it should be and as it is, each part looked up once, when a check first asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from cli.deploy.difference import Change, plan
from cli.deploy.stack import look, services
from cli.deploy.wanted import Application
from cli.huaweicloud.access import Access
from cli.huaweicloud.inquiries import list_instances
from cli.huaweicloud.resources import Found, Kind, Resource
from cli.package.model import Package
from cli.template.document import references
from cli.template.model import Function, Template


@dataclass(frozen=True)
class Stack:
    """One stack.

    Attributes:
        template: with those parameters filled in that were given; the others stay references.
        packages: what the code should be; empty where that is not to be compared.
    """

    access: Access
    template: Template
    name: str
    packages: Mapping[str, Package] = field(default_factory=dict)

    @cached_property
    def wanted(self) -> list[Resource]:
        """What the template describes, less what depends on a parameter that was not given."""
        urns = {topic.resource: self.access.topic_urn(topic.name) for topic in self.template.topics}
        resources = Application(self.template, urns, {}, self.packages).resources()
        return [_known(resource) for resource in resources if not _is_open(resource.name)]

    @cached_property
    def found(self) -> list[Found]:
        """What is there, whoever made it."""
        where = services(self.access, self.name)
        return [item for _, here in look(where, self.name, self.wanted) for item in here]

    @cached_property
    def changes(self) -> Sequence[Change]:
        """What ddsbackup deploy would do, if all that is there were its own."""
        # Who writes a description differently, by hand or with Terraform, has a healthy application all the same.
        ours = [replace(item, stack=self.name) for item in self.found]
        wanted = [
            replace(item, fields={name: value for name, value in item.fields.items() if name != "description"})
            for item in self.wanted
        ]
        return plan(wanted, ours, self.name).changes

    @cached_property
    def instances(self) -> list[dict[str, Any]]:
        """The DDS instances that the user sees."""
        return list_instances(self.access)

    def of_kind(self, kind: Kind) -> list[Found]:
        """What is there of one kind."""
        return [item for item in self.found if item.resource.kind is kind]

    def deployed(self, function: Function) -> Found | None:
        """A function of the template as it is there."""
        return next((item for item in self.of_kind(Kind.FUNCTION) if item.resource.name == function.name), None)


def _known(resource: Resource) -> Resource:
    fields = {name: value for name, value in resource.fields.items() if not _is_open(value) and value != ""}
    return replace(resource, fields=fields)


def _is_open(value: object) -> bool:
    return any(True for _ in references(value))
