"""SMN topics and their subscriptions."""

from cli.json_value import JsonObject
from cli.template.model import Subscription, Template, Topic
from cli.terraform.expressions import TOPIC, Scope, snake_case
from cli.terraform.model import Part, Resource


def topics(template: Template, scope: Scope) -> Part:
    """Return the topics of *template*, each with those who get what is published to it."""
    resources = []
    for topic in template.topics:
        name = snake_case(topic.resource)
        body: JsonObject = {"name": scope.text(topic.name), "enterprise_project_id": "${var.enterprise_project_id}"}
        if topic.display_name:
            body["display_name"] = scope.text(topic.display_name)
        resources.append(Resource(TOPIC, name, body))
        resources += [_subscription(topic, subscription, scope) for subscription in topic.subscriptions]
    return Part(tuple(resources))


def _subscription(topic: Topic, subscription: Subscription, scope: Scope) -> Resource:
    # Named by whom it is for, so that another order of the subscriptions changes nothing.
    name = snake_case(f"{topic.resource} {subscription.protocol} {subscription.endpoint}")
    body: JsonObject = {
        "topic_urn": f"${{{TOPIC}.{snake_case(topic.resource)}.topic_urn}}",
        "protocol": subscription.protocol,
        "endpoint": scope.text(subscription.endpoint),
    }
    if subscription.remark:
        body["remark"] = scope.text(subscription.remark)
    return Resource("huaweicloud_smn_subscription", name, body)
