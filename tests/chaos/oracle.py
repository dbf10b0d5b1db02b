"""The rules that hold for every delivery of every function. They are written from the pages in docs/."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.platform import Delivery


KEY = re.compile(r"(?:^|;)(?:stack:([A-Za-z0-9_-]{1,64});)?key:([0-9a-f]{32})\Z")
"""What create_backup writes at the end of a description."""

PLANTED_SECRET = "planted-secret-5f1d"
DOCUMENTED = {"UnfinishedEventError"}
"""The exceptions of an invocation whose settings and agency are right (docs/create_backup.md, What comes back)."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a round broke."""

    rule: str
    what: str


def key_of(description: str) -> str | None:
    """The event's key in a description, or None if this application did not make the backup."""
    found = KEY.search(description)
    return found[2] if found else None


def is_own(description: str, stack: str | None) -> bool:
    """Whether a deployment made a backup: those without a name have none in the description."""
    found = KEY.search(description)
    return found is not None and found[1] == stack


def check_deliveries(deliveries: Iterable[Delivery]) -> Iterator[Violation]:
    """Check what no delivery may do, whatever goes wrong around it."""
    for delivery in deliveries:
        error = delivery.error
        if error and not delivery.was_killed and error not in DOCUMENTED:
            assert delivery.invocation.error is not None
            what = f"{delivery.describe()}: {delivery.invocation.error.error_message}"
            yield Violation("undocumented-exception", what)
        told = [*delivery.published, *delivery.log, json.dumps(delivery.invocation.result)]
        for secret in (*delivery.secrets, PLANTED_SECRET):
            if any(secret in text for text in told):
                yield Violation("secret-shown", f"{delivery.describe()}: a secret is in its log, result or message")
        if any("internal_error" in text or "Traceback" in text for text in told):
            yield Violation(
                "internal-error", f"{delivery.describe()}: {_line_with(told, 'internal_error', 'Traceback')}"
            )


def check_ids(messages: Sequence[dict[str, Any]]) -> Iterator[Violation]:
    """Check that one function announces one thing under one id, and never two things under one."""
    by_thing: dict[tuple[Any, ...], set[str]] = {}
    by_id: dict[tuple[str, str], set[tuple[Any, ...]]] = {}
    for message in messages:
        data = message["data"]
        thing = (message["source"], message["type"], data.get("backup_id"))
        by_id.setdefault((message["source"], message["id"]), set()).add((*thing, message["subject"]))
        if data.get("backup_id") and not data.get("retryable"):
            by_thing.setdefault(thing, set()).add(message["id"])
    for about, ids in by_thing.items():
        if len(ids) > 1:
            yield Violation("one-id", f"{about} was published under {len(ids)} ids")
    for message_id, things in by_id.items():
        if len(things) > 1:
            yield Violation("one-id", f"the id {message_id} stands for {sorted(map(str, things))}")


def _line_with(texts: Sequence[str], *words: str) -> str:
    return next((text[:2000] for text in texts if any(word in text for word in words)), "")
