"""What the reports of all functions share."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from shared.report import Item, LogEvent, Report, Status, combine_status


OK, PARTLY, FAILED = Status.SUCCEEDED, Status.PARTIALLY_FAILED, Status.FAILED


@dataclass(frozen=True)
class Part(Item):
    """A part of an event that is its status and whether it is unfinished."""

    status: Status = OK
    unfinished: bool = False
    codes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        return {"status": self.status.value}

    def pending(self) -> list[str]:
        return [f"{self.status.value} again"]

    def log_events(self) -> list[LogEvent]:
        return [(logging.ERROR, "part failed", self.document())] if self.status is FAILED else []


@dataclass(frozen=True)
class PartsReport(Report):
    """A report of parts."""

    parts: tuple[Part, ...] = ()

    @property
    def items(self) -> tuple[Part, ...]:
        return self.parts

    def body(self) -> dict[str, Any]:
        return {"parts": [part.document() for part in self.parts]}

    def log_facts(self) -> dict[str, Any]:
        return {"parts": len(self.parts)}

    def log_items(self) -> dict[str, Sequence[dict[str, Any]]]:
        return {"parts": [part.document() for part in self.parts]}


def report(*parts: Part, rejected: tuple[Part, ...] = (), ignored: int = 0) -> PartsReport:
    return PartsReport("smn", "request-1", rejected, ignored, parts)


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        ([], OK),
        ([OK, OK], OK),
        ([FAILED, FAILED], FAILED),
        ([OK, FAILED], PARTLY),
        ([PARTLY], PARTLY),
        ([PARTLY, FAILED], PARTLY),
    ],
    ids=range(6),
)
def test_an_event_succeeds_or_fails_if_all_its_parts_do(statuses: list[Status], whole: Status) -> None:
    """Otherwise it is PARTIALLY_FAILED. An event without parts succeeds."""
    assert combine_status(statuses) is whole
    assert report(*map(Part, statuses)).status is whole


def test_rejected_messages_count() -> None:
    """They are parts of the event as well: for its status, its codes, its log and a redelivery."""
    got = report(Part(), rejected=(Part(FAILED, unfinished=True, codes=("invalid_request",)),))

    assert (got.status, got.unfinished, got.codes) == (PARTLY, True, ["invalid_request"])
    assert got.pending() == ["FAILED again"]
    assert got.log_events() == [(logging.ERROR, "part failed", {"status": "FAILED"})]


def test_only_unfinished_parts_are_pending() -> None:
    """A redelivery has nothing to do with the others."""
    got = report(Part(FAILED), Part(PARTLY, unfinished=True), Part())

    assert got.pending() == ["PARTIALLY_FAILED again"]
    assert not report(Part(FAILED), Part()).unfinished


def test_the_document_leaves_out_what_does_not_apply() -> None:
    """Without rejected and ignored messages, it has neither key."""
    facts = {"status": "SUCCEEDED", "trigger": "smn", "request_id": "request-1", "parts": [{"status": "SUCCEEDED"}]}

    assert report(Part()).document() == facts
    whole = report(Part(), rejected=(Part(FAILED),), ignored=2).document()
    assert whole == {**facts, "status": "PARTIALLY_FAILED", "rejected": [{"status": "FAILED"}], "ignored": 2}


def test_the_summary_counts_rejected_and_ignored_messages() -> None:
    """It is the log line of the invocation."""
    assert report(Part(), ignored=1).summary() == {"parts": 1, "rejected": 0, "ignored": 1}
