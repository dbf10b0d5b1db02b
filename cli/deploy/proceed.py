"""From a plan to its end: show it, ask, take the steps, tell what became of them."""

import json
import sys
from collections.abc import Mapping

import click

from cli.console import make_console
from cli.deploy.carry_out import carry_out
from cli.deploy.difference import Plan
from cli.deploy.display import Progress, plan_document, print_failure, print_plan
from cli.deploy.options import is_interactive
from cli.errors import WrongCall
from cli.huaweicloud.resources import Kind, Service
from cli.json_value import JsonObject


FAILED = 1


def proceed(
    plan: Plan,
    where: Mapping[Kind, Service],
    about: JsonObject,
    question: str,
    *,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> bool:
    """Carry *plan* out once the user agrees; return whether it was.

    The steps are told on standard error, and with *as_json* one document, *about* and the plan, on standard output.
    Ends the command with status 1 after a failed step. Raises WrongCall when there is nobody to ask.
    """
    console = make_console(stderr=True)
    print_plan(console, plan)
    if dry_run or not plan.changes:
        if as_json:
            print(json.dumps({**about, **plan_document(plan)}, ensure_ascii=False))
        return not dry_run
    if not yes:
        if not is_interactive():
            raise WrongCall("there is nobody to ask: give --yes to go on, or --dry-run to see the difference only")
        if not click.confirm(question, err=True):
            raise click.Abort
    result = carry_out(plan.changes, where, Progress(console))
    if as_json:
        print(json.dumps({**about, **plan_document(plan, result)}, ensure_ascii=False))
    if result.failed:
        print_failure(console, result)
        sys.exit(FAILED)
    return True
