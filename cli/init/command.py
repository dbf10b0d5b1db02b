"""``ddsbackup init``: ask six questions and write a template."""

import json
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from cli.console import is_interactive, make_console
from cli.errors import WrongCall
from cli.init.answers import Answers, Question, questions
from cli.init.template import changed_template, default_retention
from cli.paths import APPLICATION
from cli.template.load import FILE_NAME


SCHEMA_NAME = "template.schema.json"


@click.command(short_help="Write a template.yaml for your instances.")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--region", metavar="REGION", help="The region of the instances, such as cn-north-4.")
@click.option("--email", metavar="ADDRESS", help="The e-mail address for the notifications.")
@click.option(
    "--instances",
    metavar="IDS|TAGS",
    help="The instances to back up, separated by commas or blanks: their ids, or tags such as env=production or, with "
    "any value, backup.",
)
@click.option("--time", metavar="HH:MM", help="The time of the nightly backup.")
@click.option("--retention", metavar="RULES", help='The backups to keep, such as "last=3 daily=7 weekly=4".')
@click.option("--time-zone", metavar="ZONE", help="The time zone of the time, and of the days and weeks of retention.")
@click.option("--yes", "-y", is_flag=True, help="Ask nothing: take the default for each option that is not given.")
@click.option("--force", is_flag=True, help="Overwrite an existing template.yaml.")
def init(folder: Path, yes: bool, force: bool, **given: str | None) -> None:
    """Write DIR/template.yaml, with comments, from the answers to six questions.

    Each question has a default, and an option that answers it. Both the backup and the audit get the instances of the
    one answer. The audit and the pruning run some hours after the backup, as in the template that comes with this
    command. What is written passes ddsbackup validate. Pruning stays a dry run until you change DRY_RUN.

    DIR needs no other files: the code of the functions comes with this command.

    \b
      ddsbackup init my-backups
      ddsbackup init my-backups --yes --region eu-west-101 --email dba@example.com --instances env=production
    """
    source = (APPLICATION / FILE_NAME).read_text(encoding="utf-8")
    asked = questions(default_retention(source))
    target = folder / FILE_NAME
    can_ask = is_interactive() and not yes
    early = {name: _convert(asked[name], text) for name, text in given.items() if text is not None}
    missing = [question for name, question in asked.items() if name not in early]
    if missing and not yes and not can_ask:
        names = ", ".join(question.option for question in missing)
        raise WrongCall(f"cannot ask without a terminal: give {names}, or --yes to take the defaults")
    if target.exists() and not force:
        _confirm(target, can_ask=can_ask)
    for question in missing:
        early[question.name] = _ask(question) if can_ask else _convert(question, question.default)
    answers = Answers(
        early["region"],
        early["email"],
        early["instances"],
        early["time"],
        early["retention"],
        early["time_zone"],
    )
    text = changed_template(source, answers, has_schema=(folder / SCHEMA_NAME).is_file())
    _write(target, text)
    _print_next(folder, target, answers)


def _convert(question: Question, text: str) -> Any:
    try:
        return question.type.convert(text, None, None)
    except click.BadParameter as error:
        raise WrongCall(f"{question.option}: {error.message}") from error


def _ask(question: Question) -> Any:
    return click.prompt(
        question.text, default=question.default, type=question.type, show_default=bool(question.default), err=True
    )


def _confirm(target: Path, *, can_ask: bool) -> None:
    """Ask before a file is overwritten. Exits with status 1 after a no. Raises WrongCall if the command cannot ask."""
    if not can_ask:
        raise WrongCall(f"{target} exists already: choose another DIR, or give --force to overwrite it")
    if not click.confirm(f"{target} exists already. Overwrite it?", err=True):
        click.echo("Nothing was written.", err=True)
        sys.exit(1)


def _write(target: Path, text: str) -> None:
    """Write the template if it has no error. Raises ClickException."""
    from cli.preflight.display import print_findings
    from cli.preflight.report import check_template
    from cli.template.document import Level

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".ddsbackup-init-") as beside:
            draft = Path(beside, FILE_NAME)
            draft.write_text(text, encoding="utf-8")
            report = check_template(draft)
            if not report.ok:
                print_findings(make_console(stderr=True), report, report.of(Level.ERROR))
                raise click.ClickException(f"{target} was not written: the template would have errors")
            draft.replace(target)
    except OSError as error:
        raise WrongCall(f"cannot write {target}: {error.strerror}") from error


def _print_next(folder: Path, target: Path, answers: Answers) -> None:
    """Print what was written, and the next three commands."""
    change_folder = "" if folder.resolve() == Path.cwd() else f"  cd {shlex.quote(str(folder))}\n"
    email = "" if answers.email else " --parameter NotifyEmail=YOU@EXAMPLE.COM"
    (name, value) = next(iter(answers.instances.items()))
    change = shlex.quote(f"{name}={json.dumps(value)}")
    click.echo(
        f"Wrote {target}. Next:\n{change_folder}"
        "  ddsbackup validate\n"
        f"  ddsbackup deploy --region {answers.region}{email}\n"
        f"  ddsbackup invoke create_backup --region {answers.region} -t direct --set {change}"
    )
