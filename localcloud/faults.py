"""Fault rules: which calls they match, and how they change the responses."""

import random
import re
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from localcloud.clock import Clock
from localcloud.errors import CloudError, Service, usual_error
from localcloud.exchange import Response, error_response, json_response
from localcloud.store import Store
from localcloud.strict import Strict


MINUTE = 60.0


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return value


HeaderName = Annotated[str, Field(pattern="^[A-Za-z0-9-]+$")]
HeaderValue = Annotated[str, Field(pattern="^([!-~]([ -~]*[!-~])?)?$")]
CallNumber = Annotated[int, Field(ge=1)]


class FaultAnswer(Strict):
    """A response in place of that of the service.

    The default body of an error is the error body of the service, with `code` and `message` if they are given.
    """

    status: Annotated[int, Field(ge=200, le=599)]
    body: Any = None
    code: str | None = None
    message: str | None = None
    headers: Annotated[dict[HeaderName, HeaderValue], Field(default_factory=dict)]


class FaultRule(Strict):
    """A rule: which calls it matches (method, path), on which of those it acts (nth, times, probability), and how."""

    method: Annotated[str | None, Field(description="The default is any method.")] = None
    path: Annotated[
        str, AfterValidator(_pattern), Field(description="A regular expression to search for in the decoded path.")
    ] = ""
    nth: Annotated[
        list[CallNumber] | CallNumber | None, Field(description="Act only on these matching calls, counted from 1.")
    ] = None
    times: Annotated[int | None, Field(ge=0, description="Act at most this many times.")] = None
    probability: Annotated[float | None, Field(ge=0, le=1)] = None
    seed: Annotated[int, Field(description="The random seed for probability.")] = 0
    answer: FaultAnswer | None = None
    delay: Annotated[float, Field(ge=0, le=3600, description="Delay of the response, in seconds.")] = 0.0
    drop: Annotated[
        Literal["before", "after"] | None, Field(description="Cut the connection before or after the call is handled.")
    ] = None
    truncate: Annotated[
        int | None, Field(ge=0, description="Send this many bytes of the body, then cut the connection.")
    ] = None
    garble: Annotated[bool, Field(description="Make the body invalid JSON of the same length.")] = False
    per_minute: Annotated[
        int | None, Field(ge=0, description="Let this many calls per minute pass, and respond to the others with 429.")
    ] = None

    @model_validator(mode="after")
    def _has_an_effect(self) -> "FaultRule":
        effects = ("answer", "delay", "drop", "truncate", "garble", "per_minute")
        if not self.model_fields_set & set(effects):
            raise ValueError(f"the rule has no effect: give one of {', '.join(effects)}")
        return self


class FaultRuleState(FaultRule):
    """A rule with the number of calls it has matched and acted on. Both are ignored in input."""

    matched: int = 0
    acted: int = 0

    def rule(self) -> FaultRule:
        """The rule without its counters."""
        return FaultRule.model_validate(self.model_dump(exclude_unset=True, exclude={"matched", "acted"}))


@dataclass(frozen=True, slots=True)
class Fault:
    """An active rule: its index in the list, its counters, and the times at which calls passed its rate limit."""

    id: str
    rule: FaultRule
    matched: int = 0
    acted: int = 0
    passed: tuple[float, ...] = ()


class Faults:
    """The active rules, in order."""

    def __init__(self, clock: Clock, store: Store) -> None:
        self._clock = clock
        self._faults = store.table("fault", Fault)

    def set(self, rules: list[FaultRule]) -> None:
        """Replace all rules. The counters start at zero."""
        self._faults.clear()
        for number, rule in enumerate(rules):
            self._faults.put(Fault(str(number), rule))

    def show(self) -> list[FaultRuleState]:
        """The rules with their counters."""
        return [
            FaultRuleState(**fault.rule.model_dump(exclude_unset=True), matched=fault.matched, acted=fault.acted)
            for fault in self._faults
        ]

    def act(self, method: str, path: str) -> Fault | None:
        """The first rule that acts on a call, or None. Later rules do not count the call."""
        for fault in list(self._faults):
            rule = fault.rule
            if (rule.method or method).upper() != method or not re.search(rule.path, path):
                continue
            counted = replace(fault, matched=fault.matched + 1)
            acts = self._chosen(counted)
            if acts and rule.per_minute is not None:
                counted, acts = self._throttle(counted, rule.per_minute)
            if acts:
                counted = replace(counted, acted=counted.acted + 1)
            self._faults.put(counted)
            if acts:
                return counted
        return None

    def _chosen(self, fault: Fault) -> bool:
        rule = fault.rule
        numbers = [rule.nth] if isinstance(rule.nth, int) else rule.nth
        if numbers is not None and fault.matched not in numbers:
            return False
        if rule.times is not None and fault.acted >= rule.times:
            return False
        # Seeded by the number of the call, so that every run has the same faults.
        dice = random.Random(f"{rule.seed}/{fault.id}/{fault.matched}")  # noqa: S311 - not for secrets
        return rule.probability is None or dice.random() < rule.probability

    def _throttle(self, fault: Fault, per_minute: int) -> tuple[Fault, bool]:
        now = self._clock.now()
        passed = tuple(moment for moment in fault.passed if moment > now - MINUTE)
        if len(passed) < per_minute:
            return replace(fault, passed=(*passed, now)), False
        return replace(fault, passed=passed), True


def fault_response(rule: FaultRule, service: Service, request_id: str) -> Response | None:
    """The response that a rule gives in place of the service, or None if the service is to respond."""
    if rule.answer is not None:
        return _given_response(rule.answer, service, request_id)
    if rule.per_minute is not None:
        detail = f"policy user over ratelimit,limit:{rule.per_minute},time:1 minute"
        error = CloudError(429, "APIGW.0308", f"The throttling threshold has been reached: {detail}")
        return error_response(error, service, request_id)
    return None


def garbled(body: bytes) -> bytes:
    """The same number of bytes, but not valid JSON."""
    return bytes(byte ^ 0xA5 for byte in body)


def _given_response(given: FaultAnswer, service: Service, request_id: str) -> Response:
    if given.status in {204, 304}:
        response = Response(given.status)  # HTTP does not allow a body
    elif "body" in given.model_fields_set:
        if isinstance(given.body, str):
            response = Response(given.status, given.body.encode(), {"content-type": "text/plain"})
        else:
            response = json_response(given.status, given.body)
    elif given.status >= 400:
        usual = usual_error(service, given.status)
        error = CloudError(given.status, given.code or usual.code, given.message or usual.message)
        response = error_response(error, service, request_id)
    else:
        response = Response(given.status)
    response.headers |= {name.lower(): value for name, value in given.headers.items()}
    return response
