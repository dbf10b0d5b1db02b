"""``ddsbackup restore``: a backup, or a point in time, to a new instance."""

import json
import sys
from dataclasses import replace
from datetime import datetime
from typing import NoReturn

import click

from cli.console import is_interactive, make_console
from cli.dds import Dds, Refused, open_dds
from cli.deploy.options import cloud_option, region_option, yes_option
from cli.options import Duration, Moment
from cli.restore import password
from cli.restore.display import Bar, Lines, document, print_end, print_plan
from cli.restore.follow import Seen, Started, State, find, follow, start
from cli.restore.proposal import Proposal, Wish, check_name, check_quota, default_name, plan_new, read_flavors, size_of
from cli.restore.selection import Point, find_backup, find_source, newest_backup, point_in_time, source_of
from shared.drills import short_id
from shared.format import duration
from shared.model import Quota


FAILED, TIMED_OUT, INTERRUPTED = 1, 3, 130


@click.command(short_help="Restore a backup to a new instance.")
@click.option("source_name", "--instance", metavar="NAME", help="The instance to restore: name or id.")
@click.option("backup_name", "--backup", metavar="NAME", help="The backup to restore: name or id.")
@click.option("is_latest", "--latest", is_flag=True, help="Restore the newest completed backup. The default.")
@click.option(
    "time", "--time", type=Moment(), metavar="TIME", help="Restore to this time, such as 2026-11-24T01:55:00Z."
)
@click.option("name", "--name", metavar="NAME", help="The name of the new instance. Default: source and time.")
@click.option(
    "flavors",
    "--flavor",
    multiple=True,
    metavar="KIND=SPEC_CODE[,size=GB][,num=N]",
    help="Other nodes than the source's: KIND is replica, single, mongos, shard or config. Repeatable.",
)
@click.option("vpc", "--vpc", metavar="ID", help="Another VPC than the source's.")
@click.option("subnet", "--subnet", metavar="ID", help="Another subnet: its network ID.")
@click.option("security_group", "--security-group", metavar="ID", help="Another security group.")
@click.option(
    "availability_zone", "--availability-zone", metavar="ZONES", help="Other zones: one, or three with commas."
)
@click.option("enterprise_project", "--enterprise-project", metavar="ID", help="Another enterprise project.")
@click.option("has_tls", "--tls/--no-tls", default=None, help="With TLS or without. Default: as the source.")
@click.option("price", "--price-hour", type=click.FloatRange(min=0), metavar="PRICE", help="To show the cost.")
@click.option("from_stdin", "--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("waits", "--wait/--no-wait", default=None, help="Follow the restore. Default: on a terminal.")
@click.option(
    "followed", "--follow", metavar="NAME", help="Follow a restore that runs: name or id of the new instance."
)
@click.option("timeout", "--timeout", type=Duration(), metavar="DURATION", help="Follow no longer. Default: no limit.")
@click.option("is_dry_run", "--dry-run", is_flag=True, help="Show the plan and end.")
@yes_option
@cloud_option
@region_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document at the end.")
def restore(
    source_name: str | None,
    backup_name: str | None,
    is_latest: bool,
    time: datetime | None,
    name: str | None,
    flavors: tuple[str, ...],
    vpc: str | None,
    subnet: str | None,
    security_group: str | None,
    availability_zone: str | None,
    enterprise_project: str | None,
    has_tls: bool | None,
    price: float | None,
    from_stdin: bool,
    waits: bool | None,
    followed: str | None,
    timeout: float | None,
    is_dry_run: bool,
    yes: bool,
    cloud: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Restore a backup, or a point in time, to a new instance. An instance that exists is never touched.

    The new instance is what the source is: mode, version, nodes, disks, network. Options change that. If the source was
    deleted, they have to say it. The plan is shown first, and nothing happens before you agree.

    The password of the new instance is asked for, or read from DDSBACKUP_RESTORE_PASSWORD or standard input. It is no
    option, because other users can read a command line.

    \b
      ddsbackup backups --region cn-north-4 --instance orders
      ddsbackup restore --region cn-north-4 --instance orders --latest
      ddsbackup restore --region cn-north-4 --instance orders --time 2026-11-24T01:55:00Z
      ddsbackup restore --region cn-north-4 --follow orders-20261124T020000Z

    Ctrl-C ends the following, not the restore. The exit status is 0 if the instance is restored, or started with
    --no-wait, 1 if it failed or was refused, 3 at the timeout.
    """
    wish = Wish(read_flavors(flavors), vpc, subnet, security_group, availability_zone, enterprise_project, has_tls)
    _check(source_name, backup_name, time, followed, is_latest=is_latest)
    is_asking = not (followed or is_dry_run)
    if is_asking and not yes and (from_stdin or not is_interactive()):
        why = "standard input has the password" if from_stdin else "there is no terminal"
        raise click.UsageError(f"{why}, so nobody can be asked: pass --yes to restore without a question, or --dry-run")
    if is_asking and not password.is_askable(from_stdin=from_stdin):
        raise click.UsageError(
            f"there is no terminal to ask for a password on: set {password.VARIABLE}, or pass --password-stdin"
        )
    dds = open_dds(cloud, region)
    place = f"--cloud {cloud}" if cloud else f"--region {region}"
    waits = sys.stderr.isatty() if waits is None else waits
    if followed:
        started = find(dds, dds.list_instances(), followed)
        _follow(dds, started, None, place, timeout, as_json=as_json)
    proposal = _propose(dds, source_name, backup_name, time, name, wish, price, place)
    if not as_json or not yes:
        print_plan(make_console(stderr=as_json), proposal, dds.clock.now())
    if is_dry_run:
        _print_document("PLANNED", None, None, proposal, dds, as_json=as_json)
        return
    if not yes and not click.confirm("Restore?", err=True):
        click.echo("Nothing was restored.", err=True)
        sys.exit(FAILED)
    new = replace(proposal.new, password=password.read(from_stdin=from_stdin))
    try:
        started = start(dds, new)
    except KeyboardInterrupt:
        click.echo(f"It is not known whether the restore has started. {_how_to_follow(new.name, place)}", err=True)
        sys.exit(INTERRUPTED)
    click.echo(f"The restore to {started.name} ({started.instance_id}) has started.", err=True)
    if waits:
        _follow(dds, started, proposal, place, timeout, as_json=as_json)
    click.echo(_how_to_follow(started.name, place), err=True)
    _print_document("STARTED", started, None, proposal, dds, as_json=as_json)


def _check(
    source_name: str | None, backup_name: str | None, time: datetime | None, followed: str | None, *, is_latest: bool
) -> None:
    points = [
        option for option, given in (("--backup", backup_name), ("--latest", is_latest), ("--time", time)) if given
    ]
    if followed and (source_name or points):
        raise click.UsageError("--follow takes no other instance, backup or time: the restore has begun")
    if len(points) > 1:
        raise click.UsageError(f"give at most one of --backup, --latest and --time, found {' and '.join(points)}")
    if not followed and not source_name and not backup_name:
        raise click.UsageError("give --instance, the instance to restore, or --backup. ddsbackup backups lists both")


def _propose(
    dds: Dds,
    source_name: str | None,
    backup_name: str | None,
    time: datetime | None,
    name: str | None,
    wish: Wish,
    price: float | None,
    place: str,
) -> Proposal:
    instances, backups = dds.list_instances(), dds.list_backups()
    source = find_source(instances, backups, source_name) if source_name else None
    if time and source:
        point = point_in_time(dds, source, time)
    elif backup_name:
        point = Point(find_backup(backups, backup_name, source))
    else:
        assert source  # noqa: S101 _check demands it, or a backup
        point = Point(newest_backup(backups, source))
    if point.backup and (source is None or source.instance is None):
        source = source_of(instances, point.backup)
    assert source  # noqa: S101 given, or that of the backup
    name = name or default_name(source, point)
    check_name(name, instances, f"ddsbackup restore {place} --follow {name}")
    new = plan_new(source, point, name, wish)
    quota = _quota(dds, source.mode)
    proof = None
    if point.backup:
        proof = next((one for one in dds.list_verified() if one.name.backup == short_id(point.backup.id)), None)
    return Proposal(source, point, new, size_of(source, point), quota, price, proof)


def _quota(dds: Dds, mode: str) -> Quota | None:
    """Return the quota of a mode, None if DDS does not say it. Raises ClickException if it is used up."""
    try:
        quota = dds.read(dds.restores.quotas, "the quotas could not be read").get(mode)
    except Refused as error:
        click.echo(f"The quota is not known: {error.error}", err=True)
        return None
    check_quota(quota, mode)
    return quota


def _how_to_follow(name: str, place: str) -> str:
    return f"A restore goes on in the cloud. Follow it with: ddsbackup restore {place} --follow {name}"


def _follow(
    dds: Dds, started: Started, proposal: Proposal | None, place: str, timeout: float | None, *, as_json: bool
) -> NoReturn:
    """Follow a restore to its end and leave the command with its exit status."""
    console = make_console(stderr=True)
    expected = proposal.seconds if proposal else None
    display = Bar(console, started.name, expected) if console.is_terminal else Lines(console, started.name, expected)
    try:
        with display:
            seen = follow(dds, started, display, timeout)
    except KeyboardInterrupt:
        click.echo(_how_to_follow(started.name, place), err=True)
        sys.exit(INTERRUPTED)
    seconds = ((started.ended or dds.clock.now()) - started.began).total_seconds()
    _print_document(seen.state.value, started, seen, proposal, dds, as_json=as_json)
    if seen.state is State.RUNNING:
        click.echo(f"timed out after {duration(seconds)}. {_how_to_follow(started.name, place)}", err=True)
        sys.exit(TIMED_OUT)
    if seen.state is State.FAILED:
        click.echo(_failure(started, seen), err=True)
        sys.exit(FAILED)
    if not as_json and seen.instance:
        print_end(make_console(), seen.instance, seconds, proposal.source.name if proposal else "the source")
    sys.exit(0)


def _failure(started: Started, seen: Seen) -> str:
    left = (
        f"Delete what is left of {started.name} ({started.instance_id}) in the console: it may cost money, and its "
        "name is taken. "
        if seen.instance
        else ""
    )
    return (
        f"The restore to {started.name} failed: {seen.said}.\nThe source is as it was. {left}"
        "Then restore again, or choose another backup (ddsbackup backups)."
    )


def _print_document(
    state: str, started: Started | None, seen: Seen | None, proposal: Proposal | None, dds: Dds, *, as_json: bool
) -> None:
    if as_json:
        print(json.dumps(document(state, started, seen, proposal, dds.clock.now()), ensure_ascii=False))
