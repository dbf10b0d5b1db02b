"""What ``Globals`` gives to every function."""

from collections.abc import Mapping
from typing import Any


def merged(shared: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return *spec* with the *shared* properties that it does not set itself; variables are merged."""
    own = spec["Properties"]
    properties = {**shared, **own}
    variables = {**_variables(shared), **_variables(own)}
    if variables:
        properties["Environment"] = {"Variables": variables}
    return {**spec, "Properties": properties}


def _variables(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    variables: Mapping[str, Any] = properties.get("Environment", {}).get("Variables", {})
    return variables
