"""Policies: what they allow (IAM User Guide, Policy Syntax and Policy Evaluation).

A policy is in one of two forms. ``"Version": "1.1"`` is a policy of the role/policy model. ``"Version": "5.0"`` is an
identity policy, whose actions have names of their own and take the older ones as aliases (column "Alias" of "Actions
Supported by Identity Policy-based Authorization" of each service).
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple


Document = dict[str, Any]


class Action(NamedTuple):
    """What a call needs to be allowed: its name in a policy and, where it is documented, in an identity policy."""

    name: str
    identity_name: str


def is_allowed(action: Action, documents: Iterable[Document]) -> bool:
    """Whether some statement of `documents` allows the action and none denies it."""
    effects = {
        statement["Effect"]
        for document in documents
        for statement in document["Statement"]
        if _applies(statement, _names(action, document["Version"]))
    }
    return "Allow" in effects and "Deny" not in effects


def _names(action: Action, version: str) -> tuple[str, ...]:
    return tuple(action) if version == "5.0" else (action.name,)


def _applies(statement: dict[str, Any], names: tuple[str, ...]) -> bool:
    return any(_pattern(given).fullmatch(name) for given in statement["Action"] for name in names)


def _pattern(given: str) -> re.Pattern[str]:
    # "*" stands for anything; resource types and operations are written in any case (Creating a Custom Policy).
    return re.compile(".*".join(map(re.escape, given.split("*"))), re.IGNORECASE)
