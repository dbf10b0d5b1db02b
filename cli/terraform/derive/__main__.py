"""Derives provider.json from a checkout of terraform-provider-huaweicloud."""

import json
import subprocess
from pathlib import Path

import click

from cli.terraform.derive.go import Checkout
from cli.terraform.derive.schema import provider_schema


RESOURCES = (
    "huaweicloud_fgs_async_invoke_configuration",
    "huaweicloud_fgs_function",
    "huaweicloud_fgs_function_trigger",
    "huaweicloud_fgs_function_trigger_status_action",
    "huaweicloud_identity_agency",
    "huaweicloud_identity_role",
    "huaweicloud_lts_group",
    "huaweicloud_lts_stream",
    "huaweicloud_smn_subscription",
    "huaweicloud_smn_subscription_filter_policy",
    "huaweicloud_smn_topic",
)


@click.command()
@click.argument("repository", type=click.Path(path_type=Path, exists=True))
@click.argument("revision")
@click.option("--out", type=click.Path(path_type=Path), default=Path("cli/terraform/provider.json"), show_default=True)
def derive(repository: Path, revision: str, out: Path) -> None:
    """Write the schema of the resources that "ddsbackup terraform" uses, from REPOSITORY at REVISION.

    \b
      git clone https://github.com/huaweicloud/terraform-provider-huaweicloud
      python -m cli.terraform.derive terraform-provider-huaweicloud v1.97.1
    """
    try:
        document = provider_schema(Checkout(repository, revision), RESOURCES)
    except subprocess.CalledProcessError as error:
        raise click.ClickException(f"cannot read {revision} of {repository}: {error.stderr.strip()}") from error
    except (KeyError, ValueError) as error:
        raise click.ClickException(f"{revision} of {repository}: {error.args[0]}") from error
    out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    click.echo(f"Wrote {len(RESOURCES)} resources of {revision} to {out}")


derive()
