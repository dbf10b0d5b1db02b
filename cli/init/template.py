"""The template for the answers: the one that comes with this command, changed at the places of its values.

Comments and everything else stay as they are, so there is no second template.
"""

import json
import re
from collections.abc import Iterator

import yaml

from cli.errors import WrongCall
from cli.init.answers import Answers
from cli.json_value import Json
from cli.template.document import REFERENCE
from cli.template.model import FUNCTION, TOPIC


SCHEMA = "# yaml-language-server: $schema="
HEAD = "# Written by ddsbackup init"
INSTANCES = ("Locals", "Instances")
"""Where a template has the part of a request that backup and audit share."""
POLICY = {"expected_interval": "1d", "grace": "2h"}
"""What audit_backups expects of a nightly backup."""

_DAILY = re.compile(r"(CRON_TZ=\S+ )?0 (?P<minute>\d+) (?P<hour>\d+) \* \* \?")
_DAY = 24 * 60
_Entry = tuple[yaml.ScalarNode, yaml.Node]


class _Text:
    """The text of a template, with edits at the places of its nodes."""

    def __init__(self, text: str) -> None:
        self._text = text
        try:
            self._root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            raise WrongCall(f"the template of this command is not valid YAML: {error}") from error
        self._edits: dict[tuple[int, int], str] = {}

    def entries(self, *path: str) -> dict[str, _Entry]:
        """Return the entries of the mapping at *path*: keys and values. Nothing if there is none."""
        entries = _mapping(self._root)
        for name in path:
            found = entries.get(name)
            if found is None:
                return {}
            entries = _mapping(found[1])
        return entries

    def value(self, *path: str) -> str | None:
        """Return the text at *path*, None if there is none."""
        entry = self.entries(*path[:-1]).get(path[-1])
        return entry[1].value if entry and isinstance(entry[1], yaml.ScalarNode) else None

    def set(self, path: tuple[str, ...], value: str) -> None:
        """Replace the text at *path*. If it is a reference to a parameter, that gets the value as its default."""
        old = self.value(*path)
        if old is None:
            raise WrongCall(f"the template has no {'.'.join(path)}: init changes only the template of this command")
        match = REFERENCE.fullmatch(old)
        if match and match[1] in self.entries("Parameters"):
            self.set_default(match[1], value)
            return
        node = self.entries(*path[:-1])[path[-1]][1]
        is_block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
        self._edits[node.start_mark.index, node.end_mark.index] = _quoted(value) + ("\n" if is_block else "")

    def set_default(self, name: str, value: str) -> None:
        """Give a parameter a default, or another one."""
        if self.value("Parameters", name, "Default") is not None:
            self.set(("Parameters", name, "Default"), value)
            return
        key, kind = self.entries("Parameters", name)["Type"]
        is_flow = getattr(self.entries("Parameters")[name][1], "flow_style", False)
        before = ", " if is_flow else "\n" + " " * key.start_mark.column
        self._edits[kind.end_mark.index, kind.end_mark.index] = f"{before}Default: {_quoted(value)}"

    def edited(self) -> str:
        """Return the text with all edits."""
        text = self._text
        for (start, end), new in sorted(self._edits.items(), reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def without(self, *path: str) -> str:
        """Return the text without the entry at *path*, and without the comments above it."""
        lines = self._text.splitlines(keepends=True)
        entries = self.entries(*path[:-1])
        names = list(entries)
        position = names.index(path[-1])
        node = self.entries(*path[:-2])[path[-2]][1]
        end = entries[names[position + 1]][0].start_mark.line if position + 1 < len(names) else node.end_mark.line
        first = _above(lines, entries[path[-1]][0].start_mark.line)
        return "".join([*lines[:first], *lines[_above(lines, end) :]])


def _mapping(node: yaml.Node | None) -> dict[str, _Entry]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {key.value: (key, value) for key, value in pairs if isinstance(key, yaml.ScalarNode)}


def _above(lines: list[str], line: int) -> int:
    """Return the first line of the comment above *line*, which belongs to it, and of the empty lines above that."""
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
    while line > 0 and not lines[line - 1].strip():
        line -= 1
    return line


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def default_retention(text: str) -> str:
    """Return the retention rules of the template *text*, as far as they are a constant."""
    template = _Text(text)
    for resource in _functions(template, "prune_backups"):
        found = template.value("Resources", resource, "Properties", "Environment", "Variables", "RETENTION") or ""
        if found and not REFERENCE.search(found):
            return found
    return "last=3 daily=7 weekly=4 monthly=12"


def changed_template(text: str, answers: Answers, *, has_schema: bool) -> str:
    """Return the template *text* with the *answers* in it.

    The request of create_backup's timer and the policy of the audit name the same instances. The other daily timers
    keep their distance from the backup. *has_schema* says whether the schema is beside the new file. Raises WrongCall
    if the template lacks the timers or settings of the one that comes with this command.
    """
    template = _Text(text)
    _set_email(template, answers.email)
    _set_instances(template, answers)
    _set_times(template, answers)
    for resource in _functions(template, "prune_backups"):
        variables = ("Resources", resource, "Properties", "Environment", "Variables")
        template.set((*variables, "RETENTION"), answers.retention)
        template.set((*variables, "RETENTION_TIME_ZONE"), answers.zone)
    lines = _without_unused(template.edited(), before=text).splitlines(keepends=True)
    place = 2 if lines[0].startswith(SCHEMA) else 0  # after the empty comment below it
    if not has_schema:
        del lines[:place]
        place = 0
    if lines[place].startswith(HEAD):  # of an earlier init
        del lines[place : place + 3]
    command = f"#   ddsbackup deploy --region {answers.region}\n"
    lines[place:place] = [f"{HEAD} for the region {answers.region}. Deploy it with:\n", command, "#\n"]
    return "".join(lines)


def _set_email(template: _Text, email: str) -> None:
    if not email:
        return
    for resource in _resources(template, TOPIC):
        subscriptions = template.entries("Resources", resource, "Properties").get("Subscriptions")
        for item in subscriptions[1].value if subscriptions else ():
            entries = _mapping(item)
            endpoint = entries["Endpoint"][1].value
            match = REFERENCE.fullmatch(str(endpoint))
            if entries["Protocol"][1].value == "email" and match:
                template.set_default(match[1], email)
                return
    raise WrongCall("the template has no subscription by e-mail whose Endpoint is a parameter")


def _set_instances(template: _Text, answers: Answers) -> None:
    """Set the instances in the one place that both requests refer to, if there is one, or else in each request."""
    if template.value(*INSTANCES) is not None:
        template.set(INSTANCES, json.dumps(answers.instances, ensure_ascii=False)[1:-1])
        return
    policies: list[Json] = [{"name": "nightly", **answers.instances, **POLICY}]
    for function, request in (("create_backup", answers.instances), ("audit_backups", {"policies": policies})):
        timers = [path for path in _timers(template, function) if template.value(*path, "user_event")]
        if len(timers) != 1:
            raise WrongCall(
                f"the template has {len(timers)} timers of {function} with a request, expected one: init changes only "
                "the template that comes with this command"
            )
        template.set((*timers[0], "user_event"), json.dumps(request, ensure_ascii=False))


def _set_times(template: _Text, answers: Answers) -> None:
    schedules = {
        path: match
        for function in ("create_backup", "audit_backups", "prune_backups")
        for path in _timers(template, function)
        if (match := _DAILY.fullmatch(template.value(*path, "schedule") or ""))
    }
    (first, *_) = [_minutes(match) for path, match in schedules.items()] or [0]
    hour, minute = answers.time
    for path, match in schedules.items():
        due = (hour * 60 + minute + _minutes(match) - first) % _DAY
        template.set((*path, "schedule"), f"CRON_TZ={answers.zone} 0 {due % 60} {due // 60} * * ?")


def _minutes(match: re.Match[str]) -> int:
    return int(match["hour"]) * 60 + int(match["minute"])


def _resources(template: _Text, kind: str) -> Iterator[str]:
    for resource in template.entries("Resources"):
        if template.value("Resources", resource, "Type") == kind:
            yield resource


def _functions(template: _Text, folder: str) -> Iterator[str]:
    for resource in _resources(template, FUNCTION):
        if (template.value("Resources", resource, "Properties", "CodeUri") or "").rpartition("/")[2] == folder:
            yield resource


def _timers(template: _Text, function: str) -> Iterator[tuple[str, ...]]:
    """Yield the paths of the properties of a function's timers."""
    for resource in _functions(template, function):
        for event in template.entries("Resources", resource, "Events"):
            if template.value("Resources", resource, "Events", event, "Type") == "TIMER":
                yield ("Resources", resource, "Events", event, "Properties")


def _without_unused(text: str, before: str) -> str:
    """Remove the parameters that only the old values referred to."""
    for name in _Text(before).entries("Parameters"):
        if f"${{{name}}}" in before and f"${{{name}}}" not in text:
            text = _Text(text).without("Parameters", name)
    return text
