"""Publishing a message (SMN API, Publishing Messages), checked by every documented limit."""

import json
import re
import uuid
from collections.abc import Mapping

from localcloud.clock import text
from localcloud.smn.deliveries import deliveries
from localcloud.smn.errors import parameter_error, smn_error
from localcloud.smn.facts import Message
from localcloud.smn.schemas import Attribute, Publish
from localcloud.smn.state import SmnState


MESSAGE_BYTES = 256 * 1024
SUBJECT_BYTES = 512
TIME_TO_LIVE = 3600
# The stricter of the two documented limits, 24 hours and 7 days.
MAX_TIME_TO_LIVE = 86_400
TAG_KEY_CHARACTERS = 21
TAG_VALUE_BYTES = 1024
MAX_TAGS = 90
# The documented pattern has a look-ahead against double underscores, which is checked apart.
ATTRIBUTE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_]{0,30}[a-z0-9])?")
# Chinese and English letters, digits and underscores (SMN SDK, MessageAttribute, value).
ATTRIBUTE_VALUE = re.compile(r"[A-Za-z0-9_\u4e00-\u9fff]{1,32}")
MAX_ATTRIBUTE_VALUES = 10
TEMPLATE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,64}")


def publish(state: SmnState, topic_urn: str, request: Publish, access_key: str | None) -> Message:
    """Keep a message with what each confirmed subscription would have received.

    Raises SMN.0005 or 0006 for the topic, 0008 subject, 0009 message, 0021 message structure, 0032 or 0027 template,
    0038 or 0075 tags, 0046 message attributes, 0019 time to live.
    """
    topic = state.topic(topic_urn)
    if request.subject is not None and len(request.subject.encode()) > SUBJECT_BYTES:
        raise smn_error("SMN.0008")
    time_to_live = _time_to_live(request.time_to_live)
    attributes = request.message_attributes or []
    _check_attributes(attributes)
    texts = _texts(request)
    message = Message(
        id=uuid.uuid4().hex,
        topic_urn=topic.id,
        subject=request.subject,
        message=texts["default"],
        message_structure=request.message_structure,
        message_attributes=[attribute.model_dump() for attribute in attributes],
        time_to_live=time_to_live,
        timestamp=text(state.region.clock.now()),
        access_key=access_key,
    )
    message = deliveries(message, texts, state.subscriptions_of(topic.id))
    state.messages.put(message)
    state.on_message(message)
    return message


def _texts(request: Publish) -> Mapping[str, str]:
    # message_structure > message_template_name > message
    if request.message_structure is not None:
        return _structure(request.message_structure)
    if request.message_template_name is not None:
        _check_tags(request.tags or {})
        # The local cloud keeps no templates, so none is ever found.
        raise smn_error("SMN.0027" if TEMPLATE_NAME.fullmatch(request.message_template_name) else "SMN.0032")
    if not request.message or len(request.message.encode()) > MESSAGE_BYTES:
        raise smn_error("SMN.0009")
    return {"default": request.message}


def _structure(structure: str) -> Mapping[str, str]:
    if len(structure.encode()) > MESSAGE_BYTES:
        raise smn_error("SMN.0009")
    try:
        texts = json.loads(structure)
    except ValueError as error:
        raise smn_error("SMN.0021") from error
    if not isinstance(texts, dict) or not isinstance(texts.get("default"), str) or not texts["default"]:
        raise smn_error("SMN.0021")
    # Robots take objects (msgType, content); everybody else text.
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in texts.items()}


def _time_to_live(value: str | None) -> int:
    if value is None:
        return TIME_TO_LIVE
    if not re.fullmatch("[0-9]{1,6}", value) or not 0 < int(value) <= MAX_TIME_TO_LIVE:
        raise parameter_error(f"time_to_live is a text of 1 to {MAX_TIME_TO_LIVE} seconds")
    return int(value)


def _check_attributes(attributes: list[Attribute]) -> None:
    names = [attribute.name for attribute in attributes]
    if len(set(names)) < len(names):
        raise smn_error("SMN.0046")
    for attribute in attributes:
        if not ATTRIBUTE_NAME.fullmatch(attribute.name) or "__" in attribute.name:
            raise smn_error("SMN.0046")
        if isinstance(attribute.value, str) is not (attribute.type == "STRING"):
            raise parameter_error(f"the value of message attribute {attribute.name} is no {attribute.type}")
        values = [attribute.value] if isinstance(attribute.value, str) else attribute.value
        if not 0 < len(values) <= MAX_ATTRIBUTE_VALUES or len(set(values)) < len(values):
            raise parameter_error(
                f"message attribute {attribute.name} has 1 to {MAX_ATTRIBUTE_VALUES} different values"
            )
        if attribute.type != "PROTOCOL" and not all(map(ATTRIBUTE_VALUE.fullmatch, values)):
            raise parameter_error(
                f"a value of message attribute {attribute.name} has 1 to 32 letters, digits and underscores"
            )


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > MAX_TAGS:
        raise smn_error("SMN.0075")
    for key, value in tags.items():
        if not 0 < len(key) <= TAG_KEY_CHARACTERS or len(value.encode()) > TAG_VALUE_BYTES:
            raise smn_error("SMN.0038")
