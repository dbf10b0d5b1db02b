"""Input that is taken at its word: the right types and known names, or an error that says which are."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Strict(BaseModel):
    """A frozen model that takes no field it does not know, and no text for a number or number for a yes."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _names_the_known(cls, given: Any) -> Any:
        unknown = [str(name) for name in given if name not in cls.model_fields] if isinstance(given, dict) else []
        if unknown:
            raise ValueError(f"there is no {', '.join(unknown)} here; known are {', '.join(cls.model_fields)}")
        return given
