"""The hostile events of the corpus, and new ones, through all five functions; the oracle; the shrinking."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.errors import CredentialsError
from shared.notify import HEADLINES
from tests.fakes import INSTANCES
from tests.fuzz.__main__ import Part, fits_functiongraph, run_part, write
from tests.fuzz.events import CANARY, FUNCTIONS, draw
from tests.fuzz.oracle import check
from tests.fuzz.shrink import shrink
from tests.fuzz.target import Handled, Target
from tests.triggers import documented as doc


CORPUS = {path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "corpus").glob("*.json"))}
EVENT = doc.smn(doc.smn_record(json.dumps({"instance_ids": [doc.PAYLOAD["instance_ids"]]})))


@pytest.fixture(scope="module")
def target() -> Target:
    return Target()


@pytest.mark.parametrize("name", CORPUS)
def test_a_known_hostile_event_breaks_no_rule(target: Target, name: str) -> None:
    """All five functions handle it as the documents say."""
    for function in FUNCTIONS:
        found = check(target.handle(function, CORPUS[name]["event"]), is_ours=name.startswith("ours-"))
        assert not found, f"{function}: {CORPUS[name]['what']}"


def test_the_oracle_reads_an_event_however_deep_it_is_nested(target: Target) -> None:
    """An event without messages has no outcome, and that breaks no rule."""
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    event = {**doc.kafka(), "records": [{"messages": [], "topic_id": "topic"}], "extra": deep}

    assert not check(target.handle("track_backups", event))


def test_what_functiongraph_delivers_has_at_most_6_mb() -> None:
    """Keys and texts count."""
    assert fits_functiongraph({"a": ["x" * 1000] * 6000})
    assert not fits_functiongraph({"a": ["x" * 1000] * 6300})
    assert not fits_functiongraph({"x" * 6_300_000: 1})


def test_a_poisonous_message_leaves_the_next_one_alone(target: Target) -> None:
    """In the events of the corpus that end with a valid message, it is backed up."""
    batches = [name for name, one in CORPUS.items() if "before a valid" in one["what"]]
    for name in batches:
        handled = target.handle("create_backup", CORPUS[name]["event"])
        assert handled.made, name
    assert batches


def test_new_hostile_events_break_no_rule() -> None:
    """Some hundred; `make fuzz` runs as many as wanted."""
    part = run_part("suite", 0, 250)

    assert not part.broken
    assert {function for function, kind in part.outcomes if "accepted" in kind} == set(FUNCTIONS)
    assert sum(part.outcomes.values()) == 250


def test_the_same_seed_draws_the_same_events() -> None:
    """An event is found again by its number."""
    assert json.dumps(draw("s", 7).event) == json.dumps(draw("s", 7).event) != json.dumps(draw("s", 8).event)


def with_note(**changes: Any) -> Callable[[Handled], None]:
    def plant(handled: Handled) -> None:
        handled.notes = [replace(handled.notes[0], **changes)]

    return plant


def set_to(**values: Any) -> Callable[[Handled], None]:
    def plant(handled: Handled) -> None:
        for name, value in values.items():
            setattr(handled, name, value)

    return plant


FOOTER = "\n\nRegion: r\nProject: p\nRequest ID: q\nEvent ID: e"
WRONG: dict[str, tuple[str, Callable[[Handled], None]]] = {
    "an undocumented exception": ("only_documented_exceptions", set_to(error=TypeError("x"))),
    "no credentials": ("only_documented_exceptions", set_to(error=CredentialsError("x"))),
    "a guard that was needed": (
        "no_exception_is_hidden",
        set_to(log=['{"message": "internal error", "exception": "x: y"}']),
    ),
    "a call for a rejected message": ("rejected_messages_call_nothing", set_to(calls=["list"])),
    "a call of another function": ("rejected_messages_call_nothing", set_to(calls=["delete"])),
    "NaN in the answer": ("answers_are_json", set_to(answer={"x": float("nan")})),
    "half of a surrogate pair in the answer": ("answers_are_json", set_to(answer={"x": "\ud800"})),
    "a large answer": ("answers_are_json", set_to(answer={"x": "x" * 7_000_000})),
    "a long log line": ("log_lines_fit", set_to(log=[json.dumps({"message": "x" * 91_000})])),
    "a log line of text": ("log_lines_fit", set_to(log=["x"])),
    "no log": ("log_lines_fit", set_to(log=[])),
    "a secret in the log": ("secrets_stay", set_to(log=[json.dumps({"message": CANARY})])),
    "a secret in a notification": ("secrets_stay", with_note(email=CANARY)),
    "a bidi character": (
        "notifications_are_clean",
        with_note(email=f"{HEADLINES['dds.backup.rejected']}: \u202e{FOOTER}"),
    ),
    "a forged line": (
        "notifications_are_clean",
        with_note(email=f"{HEADLINES['dds.backup.rejected']}: x\nFORGED{FOOTER}"),
    ),
    "a notification that is too large": ("notifications_are_clean", with_note(email="x" * 300_000)),
    "an attribute that SMN refuses": ("notifications_are_clean", with_note(attributes={"a": "-"})),
}


def test_the_oracle_finds_a_drill_that_breaks_the_rules(target: Target) -> None:
    """A restore elsewhere, of another source, or of two; a source that is changed; and too many notifications."""
    event = {"instance_ids": [INSTANCES[0]], "at": "2026-11-24T02:59:00Z"}
    handled = [target.handle("drill_backups", {**event, "idempotency_key": key}) for key in "abcdefgh"]
    drilled = next(one for one in handled if one.restored)  # in the others, another drill runs
    assert not check(drilled)
    (new,) = drilled.restored

    wrongs: list[dict[str, Any]] = [
        {"restored": [replace(new, enterprise_project_id="0")]},
        {"restored": [replace(new, source_id=INSTANCES[1])]},
        {"restored": [new, new]},
        {"touched": [INSTANCES[0]]},
        {"notes": [*drilled.notes, *target.handle("create_backup", EVENT).notes * 4]},
    ]
    for wrong in wrongs:
        found = check(replace(drilled, **wrong))
        assert "drills_keep_the_rules" in {rule for rule, _ in found}, wrong


@pytest.mark.parametrize("wrong", WRONG)
def test_the_oracle_finds_what_is_wrong(target: Target, wrong: str) -> None:
    """An event that is handled well is spoilt afterwards."""
    rule, plant = WRONG[wrong]
    handled = target.handle("create_backup", doc.smn(doc.smn_record("Hello")))
    assert not check(handled)

    plant(handled)

    assert rule in {name for name, _ in check(handled)}


def test_an_event_that_breaks_a_rule_is_made_small_and_written(tmp_path: Path) -> None:
    """Also inside of JSON texts; the file has the rule and the event."""
    event = doc.kafka(json.dumps({"a": ["x", "poison"], "b": {"c": 1}}), "other")

    small = shrink(event, lambda one: "poison" in json.dumps(one))
    (path,) = write(Part(broken={("rule", "text"): (3, "create_backup", small)}), tmp_path)

    assert small == "poison"
    assert json.loads(path.read_text()) == {"what": "rule: text (create_backup)", "event": "poison"}
