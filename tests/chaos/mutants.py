"""Planted faults: each changes a copy of the deployed code, never the repository."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from cli.paths import CHECKOUT


@dataclass(frozen=True, slots=True)
class Patch:
    """A text that occurs exactly once in a file, and what replaces it."""

    file: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault that a chaos run has to find."""

    what: str
    patches: tuple[Patch, ...]


MUTANTS = {
    "keeps-one-less": Mutant(
        "retention keeps one backup less than each rule says",
        (
            Patch("shared/prune/retention.py", "young[: self.last]:", "young[: max(0, self.last - 1)]:"),
            Patch(
                "shared/prune/retention.py",
                "list(newest_of.values())[:count]:",
                "list(newest_of.values())[: count - 1]:",
            ),
        ),
    ),
    "never-looks-before-creating": Mutant(
        "a backup is created without a look for the one of an earlier delivery",
        (
            Patch(
                "shared/create/creation.py",
                "if existing := self.existing.find(instance_id, listed_since=state.listed_since):",
                "if state.creates and (\n"
                "            existing := self.existing.find(instance_id, listed_since=state.listed_since)\n"
                "        ):",
            ),
        ),
    ),
    "forgets-the-doubt": Mutant(
        "a create call whose answer was lost is repeated without a look",
        (
            Patch(
                "shared/create/creation.py",
                "        if isinstance(error, (AmbiguousError, ExistsError, BusyError)):\n",
                "        if isinstance(error, AmbiguousError) and state.failures < _MOST_FAILURES:\n"
                "            state.failures += 1\n"
                "            return None\n"
                "        if isinstance(error, (AmbiguousError, ExistsError, BusyError)):\n",
            ),
        ),
    ),
    "announces-first": Mutant(
        "outcomes are published before every backup has begun",
        (
            Patch(
                "shared/create/service.py",
                "                if not self._not_begun:\n                    self._publish_results()\n",
                "                self._publish_results()\n",
            ),
        ),
    ),
    "believes-the-event-time": Mutant(
        "whatever time an event has is believed",
        (
            Patch(
                "shared/create/function.py",
                "if event.time and event.time > scope.clock.now() + _CLOCK_SKEW:",
                "if event.time is not None and event.time.year > 3000:",
            ),
            Patch(
                "shared/audit/function.py",
                "    if not incoming.is_recurring or incoming.time is None"
                " or abs(now - incoming.time) > _MOST_EVENT_AGE:\n"
                "        return now\n"
                "    return min(incoming.time, now)\n",
                "    return incoming.time or now\n",
            ),
        ),
    ),
    "lets-drills-grow-old": Mutant(
        "the instance of a drill is deleted at twice its greatest age",
        (Patch("shared/drill/lifecycle.py", "if now - drill.born >= max_age:", "if now - drill.born >= 2 * max_age:"),),
    ),
    "drills-again": Mutant(
        "a drill begins although there was one in its slot",
        (
            Patch(
                "shared/drill/starting.py",
                "                if self.has_begun(candidate, listed):\n",
                "                if not candidate.slot:\n",
            ),
        ),
    ),
    "forgets-expectations": Mutant(
        "a copy is verified whatever a request expects of it",
        (Patch("shared/drill/function.py", "expect={source: expected for one", "expect={source: {} for one"),),
    ),
}


def stage(folder: Path, mutant: str | None = None) -> Path:
    """Copy the deployed code into `folder`, with the faults of a mutant, and return the folder.

    Raises ValueError if the text that a patch replaces does not occur exactly once.
    """
    for name in ("shared", "functions"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for patch in MUTANTS[mutant].patches if mutant else ():
        file = folder / patch.file
        source = file.read_text(encoding="utf-8")
        if source.count(patch.before) != 1:
            raise ValueError(
                f"the mutant {mutant} does not fit {patch.file} any more: expected once, found "
                f"{source.count(patch.before)} times:\n{patch.before}"
            )
        file.write_text(source.replace(patch.before, patch.after), encoding="utf-8")
    return folder
