"""The policy documents of an agency, as the console's JSON view and IAM's API take them."""

from cli.json_value import JsonObject
from cli.permissions.agencies import Agency


def custom_policy(agency: Agency) -> JsonObject:
    """Return a custom policy for the project of the functions; all its actions are of project-level services.

    It names no resources: neither DDS nor SMN documents, for this model, how a backup or a topic is written.
    """
    return {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": [*agency.actions]}]}


def identity_policy(agency: Agency) -> JsonObject:
    """Return a custom identity policy.

    Its resource is ``*``: the actions of DDS take no other (DDS API, Actions Supported by Identity Policy-based
    Authorization).
    """
    statement: JsonObject = {"Effect": "Allow", "Action": [*agency.identity_actions], "Resource": ["*"]}
    return {"Version": "5.0", "Statement": [statement]}
