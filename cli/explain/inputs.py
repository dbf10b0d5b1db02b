"""What the subcommands of explain read: the template, schedules, JSON, and the backups of an instance."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cli.cost.inputs import read_settings
from cli.dds import Dds
from cli.errors import WrongCall
from cli.event.changes import UnusableJsonError, decode_json
from cli.explain.retention import Existing, Rules, Story
from cli.explain.timers import Timer, read_timer, template_timers, timer_of
from cli.json_value import Json
from cli.template.load import find_template, load_template
from cli.template.model import Function, Template
from shared.fleet import Fence
from shared.format import counted
from shared.identity import key_of
from shared.prune.function import PruneBackupsSettings
from shared.prune.plan import Fate, MassDeletionGuard, make_plan
from shared.prune.retention import read_retention, read_zone
from shared.runtime.settings import SettingsT


NIGHTLY, MORNING = "CRON_TZ=UTC 0 0 2 * * ?", "CRON_TZ=UTC 0 0 8 * * ?"
"""When backups are made and pruned if neither the options nor the template say so."""


@dataclass(frozen=True, slots=True)
class Application:
    """A template with its timers. Rates count from now."""

    template: Template
    timers: tuple[Timer, ...]

    @classmethod
    def read(cls, file: Path | None, now: datetime) -> "Application":
        """Read the template *file*, or the default one. Raises WrongCall or TemplateError."""
        template = load_template(file or find_template())
        return cls(template, tuple(template_timers(template, now)))

    def function(self, kind: str) -> Function | None:
        """Return the function with this folder."""
        return next((one for one in self.template.functions if one.code_uri.name == kind), None)

    def settings(self, kind: str, model: type[SettingsT]) -> SettingsT | None:
        """Return the settings of a function; None if the template has no such function. Raises WrongCall."""
        function = self.function(kind)
        return read_settings(model, function) if function else None

    @property
    def prune_settings(self) -> PruneBackupsSettings:
        """The settings of prune_backups, or the defaults if the template has no such function."""
        found = self.settings("prune_backups", PruneBackupsSettings)
        return found or PruneBackupsSettings(NOTIFY_TOPIC_URN="urn:smn:region:project:topic")

    def backup_timer(self, given: str | None, now: datetime) -> Timer:
        """Return the schedule that is given, or else that of create_backup, or else every night. Raises WrongCall."""
        if given is not None:
            return read_timer(given, now)
        return timer_of(self.timers, "create_backup") or read_timer(NIGHTLY, now)

    def prune_timer(self, now: datetime) -> Timer:
        """Return the schedule of prune_backups, or else every morning."""
        return timer_of(self.timers, "prune_backups") or read_timer(MORNING, now)


def read_rules(application: Application, rules: str | None, against: str | None, zone: str | None) -> list[Rules]:
    """Return the rules to explain, by default the template's, and those to compare them with. Raises WrongCall."""
    settings = application.prune_settings
    try:
        where = read_zone(zone) if zone else settings.RETENTION_TIME_ZONE
    except ValueError as error:
        raise WrongCall(f"found --time-zone {zone}: {error}") from error
    found = []
    for text in (settings.RETENTION if rules is None else rules, *([against] if against is not None else [])):
        try:
            found.append(Rules(read_retention(text), where))
        except ValueError as error:
            raise WrongCall(f"found the rules {text!s:.80}: {error}") from error
    return found


def existing_backups(dds: Dds, instance_id: str, fence: Fence) -> Existing:
    """Return the manual backups of an instance as prune_backups sees them: those of others have no event key.

    Raises WrongCall if there are none, and Refused.
    """
    listed = dds.read(
        lambda: fence.backups(dds.backups).list(instance_id=instance_id), "the backups could not be listed"
    )
    found = [backup for backup in listed if backup.instance_id == instance_id]
    if not any(key_of(backup.description) for backup in found):
        if not fence.allows(instance_id):
            raise WrongCall(f"ALLOWED_INSTANCES of prune_backups does not include {instance_id}")
        raise WrongCall(
            f"found {counted(len(found), 'manual backup')} of {instance_id}, none of this application (STACK "
            f"{fence.stack}): check --instance, and that --template is the one that was deployed"
        )
    return Existing(tuple(found), frozenset(verified.name.backup for verified in dds.list_verified()))


def retention_remarks(
    application: Application, stories: Sequence[Story], existing: Existing, schedule: str | None, now: datetime
) -> Iterator[str]:
    """Yield what the calendar does not show: other timers and backups, and what holds prune_backups back."""
    others = [timer for timer in application.timers if timer.kind == "create_backup" and timer.is_enabled]
    if schedule is None and len(others) > 1:
        yield f"create_backup has {len(others)} timers; these are the runs of {others[0].name}. Choose with --schedule"
    if not existing.backups:
        return
    settings = application.prune_settings
    if foreign := sum(1 for backup in existing.backups if key_of(backup.description) is None):
        yield f"{counted(foreign, 'manual backup')} of this instance that others made: prune_backups leaves them alone"
    if settings.DRY_RUN:
        yield "DRY_RUN is on in the template: prune_backups deletes nothing"
    for story in stories:
        going = len(story.of(Fate.DELETE))
        plan = make_plan(existing.backups, story.rules.retention, now, story.rules.zone, verified=existing.verified)
        guard = MassDeletionGuard.for_plan(plan)
        if guard.everything or guard.instances:
            yield f"{going} of them are more than half: the mass-deletion guard holds the next run back"
        elif going > settings.MAX_DELETES:
            yield f"MAX_DELETES={settings.MAX_DELETES} a day: the {going} that go next take several runs"


def read_json(given: str, what: str) -> Json:
    """Return the JSON in a file, in standard input (-), or in the argument itself. Raises WrongCall."""
    text, name = given, f"the {what}"
    if given == "-":
        text, name = sys.stdin.read(), "standard input"
    elif not given.lstrip().startswith(("{", "[", '"')):
        text, name = _read_file(Path(given), what), given
    try:
        value: Json = decode_json(text)
    except json.JSONDecodeError as error:
        found = f"{error.msg} at line {error.lineno}, column {error.colno}" if text.strip() else "it is empty"
        raise WrongCall(f"{name} is not JSON: {found}") from error
    except UnusableJsonError as error:
        raise WrongCall(f"{name} is not usable: {error}") from error
    return value


def _read_file(file: Path, what: str) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise WrongCall(f"cannot read the {what} {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongCall(f"{file} is not UTF-8 text: {error}") from error
