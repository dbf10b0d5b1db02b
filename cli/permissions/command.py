"""``ddsbackup permissions``: the policy of each agency, ready for the console."""

import json
from collections.abc import Callable
from pathlib import Path

import click
from rich.text import Text

from cli.console import make_console
from cli.json_value import JsonObject
from cli.options import template_option
from cli.permissions.agencies import ENTERPRISE_PROJECT, Agency, agencies, confined_policy, custom_policy
from cli.permissions.agencies import identity_policy as make_identity_policy
from cli.template.load import find_function, find_template, load_template


@click.command(short_help="Print the policies that the functions need.")
@click.argument("function", required=False)
@click.option("--identity-policy", is_flag=True, help="Print identity policies (Version 5.0), not custom policies.")
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document: agencies, functions, policies.")
def permissions(function: str | None, identity_policy: bool, template_file: Path | None, as_json: bool) -> None:
    """Print the policy of each agency in template.yaml, or only that of FUNCTION's agency.

    A policy allows what the code of the agency's functions calls, what FunctionGraph itself needs for them, and nothing
    else. Paste it in the console: IAM > Permissions > Policies/Roles > Create Custom Policy > JSON. Then authorize the
    agency (trusted service: FunctionGraph) with it in the project of the functions.

    A function that makes instances (drill_backups) has a second policy, NAME-instances: authorize the agency with it in
    the enterprise project of the drills, and nowhere else. An identity policy has a condition for this instead.

    \b
      ddsbackup permissions
      ddsbackup permissions prune_backups --identity-policy
      ddsbackup permissions --json
    """
    template = load_template(template_file or find_template())
    chosen, lacking = agencies(template), "no function in the template has"
    if function:
        name = find_function(template, function).name
        chosen, lacking = tuple(agency for agency in chosen if name in agency.functions), f"{name} does not have"
    policy = make_identity_policy if identity_policy else custom_policy
    second = _none if identity_policy else confined_policy
    if as_json:
        print(json.dumps([_document(agency, policy(agency), second(agency)) for agency in chosen], ensure_ascii=False))
    else:
        _show(chosen, policy, second, lacking)


def _none(agency: Agency) -> JsonObject | None:  # noqa: ARG001 an identity policy is one document
    return None


def _document(agency: Agency, policy: JsonObject, confined: JsonObject | None) -> JsonObject:
    return {
        "agency": agency.name,
        "functions": [*agency.functions],
        "operations": [operation.name for operation in agency.operations],
        "policy": policy,
        "enterprise_project": agency.enterprise_project or None,
        "enterprise_project_policy": confined,
        "by_hand": [*agency.by_hand],
    }


def _show(
    chosen: tuple[Agency, ...],
    policy: Callable[[Agency], JsonObject],
    second: Callable[[Agency], JsonObject | None],
    lacking: str,
) -> None:
    results, notes = make_console(), make_console(stderr=True)
    for agency in chosen:
        notes.print(Text.assemble((agency.name, "bold"), f" for {', '.join(agency.functions)}"), soft_wrap=True)
        results.print_json(data=policy(agency))
        if confined := second(agency):
            where = f" only in the enterprise project {agency.enterprise_project}"
            notes.print(Text.assemble((agency.confined_policy_name, "bold"), where), soft_wrap=True)
            results.print_json(data=confined)
        if agency.withheld:
            calls = ", ".join(operation.name for operation in agency.withheld)
            text = f"Nothing allows {calls} before {ENTERPRISE_PROJECT} names the enterprise project of the drills."
            notes.print(Text(text), soft_wrap=True)
        for reason in dict.fromkeys(need.reason for need in agency.platform):
            actions = ", ".join(need.action for need in agency.platform if need.reason == reason)
            notes.print(Text(f"{actions}: FunctionGraph itself {reason}."), soft_wrap=True)
        for sentence in agency.by_hand:
            notes.print(Text.assemble(("By hand: ", "yellow"), sentence), soft_wrap=True)
    if not chosen:
        notes.print(f"There is nothing to allow: {lacking} both an Agency and Permissions.")
