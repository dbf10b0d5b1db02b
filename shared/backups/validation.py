"""Pydantic's findings in the user's terms: where, what was found, what was expected."""

from collections.abc import Iterable

from pydantic import BaseModel, ValidationError


_EXCERPT = 60
_JSON_TERMS = {
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be a text",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
}


def explain(error: ValidationError, model: type[BaseModel]) -> tuple[str, ...]:
    """One line a fault, such as ``instance_ids.2: must not be empty``.

    `model` names the fields that an unknown one may have meant; nested models are looked up on the way.
    """
    return tuple(
        f"{_location(fault['loc'])}: {_sentence(fault['type'], fault['msg'], fault['loc'], fault['input'], model)}"
        for fault in error.errors(include_url=False)
    )


def excerpt(value: object) -> str:
    """`value` as it was written, shortened to fit a message."""
    text = repr(value)
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 3]}..."


def _location(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc) or "event"


def _sentence(kind: str, msg: str, loc: tuple[int | str, ...], found: object, model: type[BaseModel]) -> str:
    if kind == "missing":
        return "required, but missing"
    if kind == "extra_forbidden":
        known = _known_fields(model, loc)
        return f"unknown field{_did_you_mean(str(loc[-1]), known)}; known fields: {', '.join(known)}"
    if kind in {"value_error", "assertion_error"}:
        return msg.partition(", ")[2]
    msg = _JSON_TERMS.get(kind, msg)
    return f"{msg[0].lower()}{msg[1:]}; found {excerpt(found)}"


def _known_fields(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    for part in loc[:-1]:
        field = model.model_fields.get(str(part))
        nested = _nested_model(field.annotation) if field else None
        model = nested or model
    return sorted(model.model_fields)


def _nested_model(annotation: object) -> type[BaseModel] | None:
    candidates: Iterable[object] = getattr(annotation, "__args__", None) or (annotation,)
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)


def _did_you_mean(name: str, known: list[str]) -> str:
    import difflib  # only a wrong request pays for it

    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
