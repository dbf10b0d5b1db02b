"""The environment variables of a function, which its API takes as the text of a JSON object."""

import json
import re

from localcloud.functiongraph.errors import functiongraph_error


# FunctionGraph API, Creating a Function, user_data.
MAX_VARIABLES = 20
MAX_CHARACTERS = 4096
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def read_variables(text: str | None) -> dict[str, str]:
    """The variables that `text` holds; none for an empty one.

    Raises FSS.1009 for what is no object of texts or has a wrong name, FSS.1017 for more than 20, FSS.1018 for more
    than 4096 characters of names and values.
    """
    if not text:
        return {}
    try:
        variables = json.loads(text)
    except ValueError as error:
        raise functiongraph_error("FSS.1009", f"it is no JSON: {error}") from error
    if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
        raise functiongraph_error("FSS.1009", "expected an object of texts.")
    wrong = [name for name in variables if not _NAME.fullmatch(name)]
    if wrong:
        raise functiongraph_error("FSS.1009", f"{wrong[0]!r} is no name: a letter, then letters, digits and _.")
    if len(variables) > MAX_VARIABLES:
        raise functiongraph_error("FSS.1017")
    if sum(len(name) + len(value) for name, value in variables.items()) > MAX_CHARACTERS:
        raise functiongraph_error("FSS.1018")
    return variables
