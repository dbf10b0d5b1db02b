"""The settings that a function gets when it runs here instead of on FunctionGraph."""

from collections.abc import Mapping, Sequence

from cli.cloud import Connection
from cli.errors import WrongCall
from cli.template.document import fill_in, references
from cli.template.model import Function, Topic


def function_settings(
    function: Function, topics: Sequence[Topic], connection: Connection, from_file: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables of the template, those that say where the cloud is, and those *from_file*; later ones win.

    A reference to one of the *topics* becomes its URN in the cloud.

    Raises WrongCall for a variable that refers to a parameter without a default and is given nowhere else.
    """
    endpoints = {"DDS_ENDPOINT": connection.endpoint, "SMN_ENDPOINT": connection.endpoint}
    topic = {"NOTIFY_TOPIC_URN": connection.topic_urn} if "NOTIFY_TOPIC_URN" in function.variables else {}
    here = connection.topic_urn.rpartition(":")[0]
    urns = {topic.resource: f"{here}:{topic.name}" for topic in topics}
    settings = {**fill_in(dict(function.variables), urns), **topic, **endpoints, **from_file}
    for name in sorted(settings.keys() - from_file.keys()):
        unresolved = next(references(settings[name]), None)
        if unresolved:
            raise WrongCall(
                f"the setting {name} of {function.name} needs the parameter {unresolved[1]}, which has no Default "
                f"in the template: give it one, or put a line {name}=... into a file for --env-file"
            )
    return settings
