"""What has to hold after every event, written from the pages in docs/ and the documents of the platform."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from shared.create.report import InstanceResult
from shared.drill.report import SlotItem, SlotState
from shared.drills import DrillName
from shared.errors import UnfinishedEventError
from shared.identity import key_of
from shared.notify import HEADLINES, REJECTED
from tests.drill.world import PROJECT
from tests.fakes import FakeContext, assert_within_limits
from tests.fuzz.events import CANARY, FORGED
from tests.fuzz.target import COPY, MAX_DELETES, SMN_TAKES, Handled


MAX_ANSWER = 6 * 1024 * 1024  # FunctionGraph, Notes and Constraints
MAX_LINE = 90_000  # FunctionGraph's logger cuts longer lines in two
_NO_CALL = {"invalid_request", "unknown_event"}
_READS = {"list", "jobs", "job", "instances"}
_DRILLS = {"restore", "tag", "reset_password", "restart", "delete"}
_MAY = {
    "create_backup": _READS | {"create"},
    "track_backups": _READS,
    "prune_backups": _READS | {"delete"},
    "audit_backups": _READS,
    "drill_backups": {"instances", "jobs", "backups", "quotas", "recycled", "inspect"} | _DRILLS,
}
_INSTANCE_ID = re.compile(r"[!-~]{1,64}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{3,63}")  # DDS API, Creating a Manual Backup, table 2
_DESCRIPTION = re.compile(r"[^><!\"&'=\x00-\x1f\x7f-\x9f\ud800-\udfff]{0,256}")
_REJECTION_LINE = re.compile(
    r"(Where|Fault|The sender wrote|Region|Project|Request ID|Event ID): .*|\.\.\. This is not all\.|"
)
_FORGED_LINE = re.compile(rf"\s*((Region|Project|Request ID|Event ID):\s*)?{FORGED}")
_SECRETS = (CANARY, *(secret for secret in (FakeContext.secret_key, FakeContext.security_token) if secret))


def check(handled: Handled, *, is_ours: bool = False) -> list[tuple[str, str]]:
    """Return each broken rule with what was found. `is_ours` says that the event is a notification of ours."""
    found: list[tuple[str, str]] = []
    for rule in (*RULES, ours_is_ignored) if is_ours else RULES:
        try:
            found += [(rule.__name__, text) for text in rule(handled)]
        except Exception as error:  # noqa: BLE001 what cannot be judged is wrong too
            found.append((rule.__name__, f"{type(error).__name__}: {str(error)[:200]}"))
    return found


def strict_json(text: str) -> Any:
    """Parse JSON as its standard has it: without NaN and Infinity, and of valid Unicode."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    parsed = json.loads(text, parse_constant=refuse)
    if "\\ud" in text:
        json.dumps(parsed, ensure_ascii=False).encode()
    return parsed


def only_documented_exceptions(handled: Handled) -> Iterator[str]:
    """Everything works, so nothing is left for a redelivery, and nothing else may be raised."""
    error = handled.error
    if error is None:
        return
    if not isinstance(error, UnfinishedEventError):
        yield f"raised {type(error).__name__}"
    elif not _wants_one_instance_often(handled):
        yield f"unfinished: {re.sub('[0-9]+', '0', str(error))[:100]}"


def _wants_one_instance_often(handled: Handled) -> bool:
    """Whether only backups are left whose instances make the event's other backups: DDS makes one at a time."""
    results = handled.report.items if handled.report else ()
    made = {result.instance_id for result in results if isinstance(result, InstanceResult) and result.backup_id}
    left = [result for result in results if result.unfinished]
    return bool(left) and all(isinstance(result, InstanceResult) and result.instance_id in made for result in left)


def no_exception_is_hidden(handled: Handled) -> Iterator[str]:
    """No message or instance needed the guard around it."""
    for line in handled.log:
        entry = json.loads(line)
        if entry["message"] in {"message not readable", "internal error"}:
            yield f"{entry['message']}: {entry['exception'].splitlines()[-1].split(':')[0]}"


def rejected_messages_call_nothing(handled: Handled) -> Iterator[str]:
    """Nothing is called for an event without a valid request, and no function calls what it is not for."""
    if wrong := set(handled.calls) - _MAY[handled.function]:
        yield f"called {wrong}"
    if handled.report is None:
        return
    codes = {code for rejection in handled.report.rejected for code in rejection.codes}
    if not _has_valid_request(handled) and codes <= _NO_CALL and handled.calls:
        yield f"called {handled.calls[0]} for what was rejected"


def _has_valid_request(handled: Handled) -> bool:
    """Whether a message asks for something.

    A run of drill_backups may find nothing to do.
    """
    received, report = handled.received, handled.report
    if received is None or report is None or report.items:
        return bool(report and report.items)
    refused = len(report.rejected) - len(received.rejected)
    is_drill = handled.function == "drill_backups"
    return _is_tick_of_drills(handled) or (is_drill and len(received.requests) > refused)


def _is_tick_of_drills(handled: Handled) -> bool:
    """Whether the timer of drill_backups goes on with the drills that run, as it does whatever its message is."""
    received = handled.received
    return handled.function == "drill_backups" and received is not None and received.trigger == "timer"


def backups_belong_to_requests(handled: Handled) -> Iterator[str]:
    """Every backup is one of a result, and its values are those that DDS takes."""
    if handled.report is None:
        return
    document = handled.report.document()
    results = {(r["instance_id"], r["name"], r["event_key"]) for r in document.get("results", ())}
    for backup in handled.made:
        if (backup.instance_id, backup.name, key_of(backup.description)) not in results:
            yield "a backup of no result"
        if not _INSTANCE_ID.fullmatch(backup.instance_id) or not _NAME.fullmatch(backup.name):
            yield f"a backup {backup.name!r} of {backup.instance_id!r}"
        if not _DESCRIPTION.fullmatch(backup.description or ""):
            yield f"a description that DDS does not take: {backup.description!r}"


def deletions_keep_the_rules(handled: Handled) -> Iterator[str]:
    """Only backups of this application, at most MAX_DELETES, and never the newest of an instance."""
    if len(handled.deleted) > MAX_DELETES:
        yield f"deleted {len(handled.deleted)}"
    for backup in handled.deleted:
        if key_of(backup.description) is None or backup.name.endswith("-1"):
            yield f"deleted {backup.name}"


def drills_keep_the_rules(handled: Handled) -> Iterator[str]:
    """At most one backup is restored, to a new instance, of what a request means; only a drill's copy is changed."""
    if touched := set(handled.touched) - {COPY, *(new.name for new in handled.restored)}:
        yield f"changed {sorted(touched)}"
    if len(handled.restored) > 1:
        yield f"restored {len(handled.restored)} backups"
    received, report = handled.received, handled.report
    if handled.function != "drill_backups" or received is None or report is None:
        return
    begun = [item for item in report.items if isinstance(item, SlotItem) and item.state is SlotState.BEGUN]
    if [item.drill for item in begun] != [new.name for new in handled.restored]:
        yield "a restore without a slot"
    for new in handled.restored:
        if not DrillName.parse(new.name) or new.enterprise_project_id != PROJECT:
            yield f"restored to {new.name!r} in {new.enterprise_project_id!r}"
        meant = [r.request for r in received.requests if not r.request.dry_run]
        if not any(new.source_id in (one.instance_ids or [new.source_id]) for one in meant):
            yield f"restored {new.source_id}, which no request means"
    most = len(report.rejected) + 2 * len(report.items)
    if len(handled.notes) > most:
        yield f"{len(handled.notes)} notifications"


def answers_are_json(handled: Handled) -> Iterator[str]:
    """The answer is JSON without NaN and fits; an API gateway's has a status and a text."""
    if handled.error:
        return
    text = json.dumps(handled.answer)
    answer = strict_json(text)
    if len(text) >= MAX_ANSWER:
        yield f"an answer of {len(text)} bytes"
    if handled.received and handled.received.trigger == "apig":
        strict_json(answer["body"])
        if not 200 <= answer["statusCode"] < 600 or answer["isBase64Encoded"] is not False:
            yield f"the HTTP answer {answer['statusCode']}"


def notifications_are_clean(handled: Handled) -> Iterator[str]:
    """Each fits SMN, is a CloudEvent, and has nothing in its texts that hides or forges something."""
    for note in handled.notes:
        assert_within_limits(note)
        if sum(len(text.encode()) for text in (note.body, note.email, note.sms)) > SMN_TAKES:
            yield "above SMN's limit"
        event = strict_json(note.body)
        if event["type"] not in HEADLINES or not re.fullmatch("[0-9a-f]{32}", event["id"]):
            yield f"type {event['type']}, id {event['id']}"
        if not re.fullmatch("[ -~]{1,120}", note.subject):
            yield f"the subject {note.subject!r}"
        if not note.sms.isprintable():
            yield "an SMS with control, format or bidi characters"
        lines = note.email.split("\n")
        if not all(line.isprintable() for line in lines):
            yield "an e-mail with control, format or bidi characters"
        if not lines[0].startswith(f"{HEADLINES[event['type']]}: "):
            yield f"the headline {lines[0]!r}"
        if forged := [line for line in lines if _FORGED_LINE.match(line)]:
            yield f"a line of the sender: {forged[0]!r:.100}"
        if event["type"] == REJECTED and (odd := [n for n in lines[1:] if not _REJECTION_LINE.fullmatch(n)]):
            yield f"a line that is not ours: {odd[0]!r:.60}"


def log_lines_fit(handled: Handled) -> Iterator[str]:
    """Each line is a JSON object under what the platform's logger takes; the last but one is the invocation's."""
    if not handled.log:
        yield "nothing logged"
    for line in handled.log:
        if len(line.encode()) >= MAX_LINE:
            yield f"a line of {len(line)} bytes"
        if not isinstance(strict_json(line), dict):
            yield "a line that is no object"


def secrets_stay(handled: Handled) -> Iterator[str]:
    """No credential, header or unknown field in log, answer, exception or notification."""
    texts = {
        "log": "\n".join(handled.log),
        "answer": json.dumps(handled.answer),
        "exception": str(handled.error),
        "notification": "\n".join(note.subject + note.body + note.email + note.sms for note in handled.notes),
    }
    for place, text in texts.items():
        if any(secret in text for secret in _SECRETS):
            yield f"in the {place}"


def circles_end(handled: Handled) -> Iterator[str]:
    """An event is answered with what concerns it; our own notification with nothing at all."""
    report = handled.report
    is_valid = _has_valid_request(handled)
    if report and report.ignored and not is_valid and not report.rejected and (handled.notes or handled.calls):
        yield "an ignored event led to calls or notifications"
    if report and not (report.ignored or is_valid or report.rejected or _has_no_messages(handled.event)):
        yield "an event without any outcome"


def _has_no_messages(event: Any) -> bool:
    """Whether an event has an empty list of messages anywhere, however deep it is nested."""
    left = [event]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if value.get("messages") == []:
                return True
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
    return False


def ours_is_ignored(handled: Handled) -> Iterator[str]:
    """Our own notification, in any wrapping, is ignored. Only for events that are one."""
    report, is_tick = handled.report, _is_tick_of_drills(handled)
    items = [] if report is None or is_tick else report.items
    if report is None or (report.ignored, len(items), len(report.rejected)) != (1, 0, 0) or handled.restored:
        yield "our own notification was not ignored"


Rule = Callable[[Handled], Iterator[str]]
RULES: tuple[Rule, ...] = (
    only_documented_exceptions,
    no_exception_is_hidden,
    rejected_messages_call_nothing,
    backups_belong_to_requests,
    deletions_keep_the_rules,
    drills_keep_the_rules,
    answers_are_json,
    notifications_are_clean,
    log_lines_fit,
    secrets_stay,
    circles_end,
)
