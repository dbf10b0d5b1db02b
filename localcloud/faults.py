"""Faults: rules that match calls and spoil what becomes of them."""

import random
import re
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from localcloud.clock import Clock
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
    """An answer in place of the service's. Without a body it is the right error body for the service of the path,
    with `code` and `message` in it when they are given."""

    status: Annotated[int, Field(ge=200, le=599)]
    body: Any = None
    code: str | None = None
    message: str | None = None
    headers: Annotated[dict[HeaderName, HeaderValue], Field(default_factory=dict)]


class FaultRule(Strict):
    """Which calls (method, path as a regular expression), which of those (nth, times, probability), and what to do."""

    method: Annotated[str | None, Field(description="Any method when left out.")] = None
    path: Annotated[str, AfterValidator(_pattern), Field(description="Searched for in the decoded path.")] = ""
    nth: Annotated[
        list[CallNumber] | CallNumber | None, Field(description="Act on these matching calls only, from 1.")
    ] = None
    times: Annotated[int | None, Field(ge=0, description="Act at most so often.")] = None
    probability: Annotated[float | None, Field(ge=0, le=1)] = None
    seed: Annotated[int, Field(description="Of the dice for probability.")] = 0
    answer: FaultAnswer | None = None
    delay: Annotated[float, Field(ge=0, le=3600, description="Seconds between the work and its answer.")] = 0.0
    drop: Annotated[
        Literal["before", "after"] | None, Field(description="Cut the connection, without or with the work done.")
    ] = None
    truncate: Annotated[
        int | None, Field(ge=0, description="Send so many bytes of the body, then cut the connection.")
    ] = None
    garble: Annotated[bool, Field(description="Spoil the body: same length, no JSON.")] = False
    per_minute: Annotated[
        int | None, Field(ge=0, description="Let so many calls a minute pass; the rest is answered 429.")
    ] = None

    @model_validator(mode="after")
    def _does_something(self) -> "FaultRule":
        effects = ("answer", "delay", "drop", "truncate", "garble", "per_minute")
        if not self.model_fields_set & set(effects):
            raise ValueError(f"the rule does nothing: give one of {', '.join(effects)}")
        return self


class FaultRuleState(FaultRule):
    """A rule with how many calls it matched and on how many it acted: counted here, and ignored when given."""

    matched: int = 0
    acted: int = 0

    def rule(self) -> FaultRule:
        """The rule without its counters."""
        return FaultRule.model_validate(self.model_dump(exclude_unset=True, exclude={"matched", "acted"}))


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule in force: its place in the list, its counters, and when calls passed its throttle."""

    id: str
    rule: FaultRule
    matched: int = 0
    acted: int = 0
    passed: tuple[float, ...] = ()


class Faults:
    """The rules in their order."""

    def __init__(self, clock: Clock, store: Store) -> None:
        self._clock = clock
        self._faults = store.table("fault", Fault)

    def set(self, rules: list[FaultRule]) -> None:
        """Put these rules in place of all others, their counters at zero."""
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
        """The first rule that acts on a call. The rules after it do not see the call."""
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
        # Dice that depend on the call's number only, so that the same calls meet the same faults in every run.
        dice = random.Random(f"{rule.seed}/{fault.id}/{fault.matched}")  # noqa: S311 - not for secrets
        return rule.probability is None or dice.random() < rule.probability

    def _throttle(self, fault: Fault, per_minute: int) -> tuple[Fault, bool]:
        now = self._clock.now()
        passed = tuple(moment for moment in fault.passed if moment > now - MINUTE)
        if len(passed) < per_minute:
            return replace(fault, passed=(*passed, now)), False
        return replace(fault, passed=passed), True
