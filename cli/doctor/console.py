"""Checks of what the template does not say and was set in the console."""

from collections.abc import Iterator

from cli.doctor.findings import Finding, problem, warning
from cli.doctor.stack import Stack


OFF = 0
"""The concurrency of a function that is disabled (FunctionGraph API, StrategyConfig)."""


def set_in_the_console(stack: Stack) -> Iterator[Finding]:
    """Yield what keeps a function from doing what it was deployed for, though it is as in the template."""
    for function in stack.template.functions:
        found = stack.deployed(function)
        if not found:
            continue
        fields = found.resource.fields
        label = f"function {function.name}"
        vpc, agency = fields["vpc"], fields["execution_agency"]
        if fields["concurrency"] == OFF:
            yield problem(f"{label}: concurrency", "it is disabled", "it runs", "enable it in the console")
        if agency and agency != fields["agency"]:
            yield problem(
                f"{label}: execution agency",
                f"its code runs under {agency}",
                f"under {fields['agency']}, whose permissions are checked here",
                "take the execution agency from it in the console",
            )
        if isinstance(vpc, dict) and function.vpc_config is None:
            yield warning(
                f"{label}: vpc",
                f"it is in the VPC {vpc['vpc_id']}",
                "none, as in the template",
                "write it into VpcConfig, so that the agency may reach into it, or turn VPC access off in the console",
            )
