"""The kinds of resource that a template may have."""

FUNCTION = "HC::Serverless::Function"
TOPIC = "HC::SMN::Topic"
LOG_GROUP = "HC::LTS::Group"
