"""The settings of a function as the template has them, read by the function's own rules."""

from typing import TypeVar

from pydantic import ValidationError

from cli.errors import WrongCall
from cli.template.document import REFERENCE
from cli.template.model import Function
from shared.backups.validation import explain
from shared.runtime.settings import Settings


SettingsT = TypeVar("SettingsT", bound=Settings)

_TOPIC = "urn:smn:region:project:topic"


def read_settings(model: type[SettingsT], function: Function) -> SettingsT:
    """Return the settings; any topic stands for one that is only known when deployed, other references for the default.

    Raises WrongCall for a setting that the function would refuse.
    """
    given = {"NOTIFY_TOPIC_URN": _TOPIC}
    for name, value in function.variables.items():
        if name in model.model_fields:
            text = REFERENCE.sub(_TOPIC, value) if name.endswith("_TOPIC_URN") else value
            if text and not REFERENCE.search(text):
                given[name] = text
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise WrongCall(f"wrong settings of {function.name}: {'; '.join(explain(error, model))}") from error
