"""The functions of the template as the command runs them from their source folders."""

from collections.abc import Mapping, Sequence

from cli.cloud import Connection
from cli.errors import WrongCall
from cli.template.document import fill_in, references
from cli.template.model import Function, Topic
from localcloud.functiongraph.runtime.model import FunctionSpec


def function_spec(function: Function, timeout: float | None = None) -> FunctionSpec:
    """Return what the local runtime needs to run *function* from its source folder.

    *timeout* (seconds) replaces the timeout in the template.
    """
    return FunctionSpec(
        name=function.name,
        handler=function.handler,
        initializer=function.initializer,
        initializer_timeout=function.initializer_timeout,
        timeout=function.timeout if timeout is None else timeout,
        memory_size=function.memory_size,
        code_root=function.code_root,
        code_uri=function.code_uri,
    )


def function_settings(
    function: Function, topics: Sequence[Topic], connection: Connection, from_file: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment variables of *function* when it runs against the local cloud at *connection*.

    They come from the template, then from the connection (endpoints and topic), then *from_file*; the last one wins. A
    reference to one of the *topics* becomes its URN in that cloud.

    Raises WrongCall for a variable that refers to a parameter without a default, unless *from_file* has the variable.
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
                f"in the template: add a Default, or put a line {name}=... into a file for --env-file"
            )
    return settings
