"""Planted faults: each changes the deployed code in memory, before it is imported, and a simulation has to find it."""

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault: a text that occurs exactly once in a module, and what replaces it."""

    what: str
    module: str
    before: str
    after: str


MUTANTS = {
    "deletes-first": Mutant(
        "an instance is deleted before its outcome is published",
        "shared.drill.running",
        "return self._delete(self._publish(item, now), now)",
        "return self._publish(self._delete(item, now), now)",
    ),
    "keeps-before-telling": Mutant(
        "the tag keeps a verdict before it is published",
        "shared.drill.running",
        "        item = self._publish(item, now)\n        if not item.notified:\n            return item\n",
        "        self._tag(drill, outcome.value.lower())\n        item = self._publish(item, now)\n"
        "        if not item.notified:\n            return item\n",
    ),
    "never-restarts": Mutant(
        "a verified copy is deleted without the restart that marks it",
        "shared.drill.running",
        "return self._restart(item) if outcome is Outcome.VERIFIED else self._delete(item, now)",
        "return self._delete(item, now)",
    ),
    "cannot-tell-doubt-from-failure": Mutant(
        "what could not be checked counts as failed",
        "shared.drill.running",
        "outcome = Outcome(inspection.verdict.value) if inspection else Outcome.INCONCLUSIVE",
        'outcome = Outcome.VERIFIED if inspection and inspection.verdict.value == "VERIFIED" else Outcome.FAILED',
    ),
    "forgets-what-has-begun": Mutant(
        "a drill begins although there was one in its slot",
        "shared.drill.starting",
        "        if not same:\n            return False\n",
        "        if not same or candidate:\n            return False\n",
    ),
    "believes-the-name": Mutant(
        "an instance is a drill's because of its name alone",
        "shared.drill.interlocks",
        "    return list(_doubts(drill, rules))\n",
        "    return []\n",
    ),
    "begins-several": Mutant(
        "a drill begins while another one runs",
        "shared.drill.interlocks",
        '    if running:\n        return Interlock("another_drill"',
        '    if running and now is None:\n        return Interlock("another_drill"',
    ),
    "lets-them-grow-old": Mutant(
        "an instance is deleted at twice its greatest age",
        "shared.drill.lifecycle",
        "if now - drill.born >= max_age:",
        "if now - drill.born >= 2 * max_age:",
    ),
    "is-silent-at-the-end": Mutant(
        "nothing is said of a slot that ends without a drill",
        "shared.drill.service",
        "            if ended_in is None or ended_in.contains(slot.end):\n",
        "            if ended_in is None:\n",
    ),
    "has-no-lookback": Mutant(
        "a run of the timer covers nothing of the one before",
        "shared.drill.schedule",
        "return cls(time - 2 * period, time, time - period)",
        "return cls(time - period, time, time - period)",
    ),
}


def plant(name: str) -> None:
    """Import a module with a fault.

    Raises:
        ValueError: its text does not occur exactly once, or the module is imported already.
    """
    mutant = MUTANTS[name]
    spec = importlib.util.find_spec(mutant.module)
    if mutant.module in sys.modules or spec is None or spec.origin is None or spec.loader is None:
        raise ValueError(f"{mutant.module} is imported already, or there is none")
    source = Path(spec.origin).read_text(encoding="utf-8")
    if source.count(mutant.before) != 1:
        raise ValueError(
            f"the mutant {name} does not fit {mutant.module} any more: expected once, found "
            f"{source.count(mutant.before)} times:\n{mutant.before}"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[mutant.module] = module
    exec(compile(source.replace(mutant.before, mutant.after), spec.origin, "exec"), module.__dict__)
