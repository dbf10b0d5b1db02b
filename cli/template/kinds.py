"""The kinds of resource that a template may have, and the types of trigger that need more than themselves."""

FUNCTION = "HC::Serverless::Function"
TOPIC = "HC::SMN::Topic"
LOG_GROUP = "HC::LTS::Group"

QUEUES = frozenset({"KAFKA", "OPENSOURCEKAFKA", "RABBITMQ"})
"""Triggers that poll inside a VPC, to which the function needs access (Using a Kafka Trigger, Prerequisites)."""
