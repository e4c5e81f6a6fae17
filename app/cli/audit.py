"""`graphmark audit`: is the audit log what was written, a copy of it, and cutting off its beginning."""

import sys
from collections.abc import Callable
from typing import IO, Any

import click
import orjson

from app.cli.support import print_json, run_with_services
from db.audit import AuditRow
from db.unit import Database
from kit.errors import GraphmarkError
from resolvers.context import Services
from services import audit

_DIGEST_DIGITS = 64
_PAGE = 1_000


@click.group("audit")
def audit_log() -> None:
    """Check, copy and cut the audit log."""


def _kept(_ctx: click.Context, _option: click.Parameter, text: str | None) -> tuple[int, bytes] | None:
    """Read `NUMBER:DIGEST`."""
    if text is None:
        return None
    number, _, digest = text.partition(":")
    try:
        kept = int(number), bytes.fromhex(digest)
    except ValueError:
        kept = 0, b""
    if not 0 < kept[0] < 2**63 or len(digest) != _DIGEST_DIGITS or not kept[1]:
        raise click.BadParameter("expected the number of an entry, a colon, and the 64 digits of its digest")
    return kept


@audit_log.command("verify")
@click.option("--expect", callback=_kept, help="NUMBER:DIGEST of an entry, as `verify` printed it at another time.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def verify(ctx: click.Context, *, expect: tuple[int, bytes] | None, as_json: bool) -> None:
    """Look at every entry; leave with 1 when one was changed, removed, exchanged or put in."""

    async def work(services: Services) -> audit.Audited:
        return await audit.verify(services.database, expected=expect)

    seen = run_with_services("audit", work, is_worker=True)
    if as_json:
        print_json(
            {
                "whole": seen.fault is None,
                "entries": seen.entries,
                "seq": seen.seq,
                "digest": seen.digest.hex(),
                "fault": seen.fault,
            }
        )
    elif seen.fault is None:
        click.echo(f"The audit log is whole: {seen.entries:,} entries. Keep elsewhere: {seen.seq}:{seen.digest.hex()}")
    else:
        click.echo(f"The audit log is NOT whole. {seen.fault}", err=True)
    ctx.exit(0 if seen.fault is None else 1)


@audit_log.command("export")
@click.option("-o", "--output", type=click.File("wb"), default="-", help="Where to write; stdout when left out.")
def export(output: IO[bytes]) -> None:
    """Write every entry as one line of JSON, oldest first."""

    async def work(services: Services) -> None:
        await _each(services.database, lambda row: output.write(orjson.dumps(_told(row)) + b"\n"))

    run_with_services("audit", work, is_worker=True)


@audit_log.command("cut")
@click.option(
    "--older-than-days",
    type=click.IntRange(min=audit.MIN_KEPT_DAYS),
    required=True,
    help=f"Cut off what is older: {audit.MIN_KEPT_DAYS} days or more.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def cut(*, older_than_days: int, yes: bool) -> None:
    """Cut off the beginning of the log for good. An entry tells it, with the digest that seals what went."""
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("There is no terminal to ask on; give --yes.")
        click.confirm(f"Delete entries older than {older_than_days} days for good?", abort=True)

    async def work(services: Services) -> str:
        seen = await audit.verify(services.database)
        if seen.fault is not None:
            raise GraphmarkError(f"The audit log is not whole, so nothing was cut. {seen.fault}")
        last, gone = await audit.cut_off(services.database, older_than_days=older_than_days)
        return "Nothing is that old." if last is None else f"Cut off {gone:,} entries, up to number {last.seq}."

    click.echo(run_with_services("audit", work, is_worker=True))


async def _each(database: Database, take: Callable[[AuditRow], object]) -> None:
    """Give every entry, oldest first, a page at a time."""
    position = 0
    while found := await audit.oldest_after(database, position, limit=_PAGE):
        for row in found:
            take(row)
        position = found[-1].seq


def _told(row: AuditRow) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "at": row.at,
        "action": row.action,
        "succeeded": row.succeeded,
        "actorId": row.actor_id,
        "actor": row.actor,
        "subjectId": row.subject_id,
        "networkAddress": row.network_address,
        "userAgent": row.user_agent,
        "details": row.details,
        "digest": row.digest.hex(),
    }
