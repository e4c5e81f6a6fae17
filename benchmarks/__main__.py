"""`python -m benchmarks`: measure, print the table, keep it under benchmarks/results/."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

import click
import uvloop

from benchmarks import fanout, hardening, imports, links, listing, pages, report, search, tasks, vectors
from benchmarks.harness import Finding, Findings, Options
from benchmarks.lab import Lab, open_lab
from benchmarks.versions import machine, versions

Suite = Callable[[Lab, Options], Awaitable[Findings]]
SUITES: Final[dict[str, Suite]] = {
    "import": imports.run,
    "list": listing.run,
    "search": search.run,
    "vectors": vectors.run,
    "pages": pages.run,
    "fanout": fanout.run,
    "links": links.run,
    "tasks": tasks.run,
    "nasty": hardening.run_nasty,
    "logins": hardening.run_logins,
}
SUITE_SECONDS: Final = 1_800.0
"""Longest that one suite may take; what it has not measured by then is reported as missing."""


@click.command()
@click.option("--only", default="", help=f"Suites to run, separated by commas: {', '.join(SUITES)}. All when left out.")
@click.option("--quick", is_flag=True, help="A tenth of the data and few rounds: to try it, not to judge by.")
@click.option("--seed", default=1, show_default=True, help="Makes the data and the order of candidates.")
@click.option("--no-peers", is_flag=True, help="Leave out servers that would have to be downloaded.")
def main(*, only: str, quick: bool, seed: int, no_peers: bool) -> None:
    """Measure Graphmark beside its peers and limits, on loopback and a database of its own."""
    names = [name.strip() for name in only.split(",") if name.strip()] or list(SUITES)
    unknown = sorted(set(names) - set(SUITES))
    if unknown:
        raise click.UsageError(f"There is no suite {', '.join(unknown)}; there are {', '.join(SUITES)}.")
    options = Options(quick=quick, seed=seed, peers=not no_peers)
    started = datetime.now(UTC)
    about: dict[str, Any] = {"machine": machine()}
    findings, about["versions"] = uvloop.run(_measure(names, options))
    report.show(findings)
    click.echo(f"Kept in {report.write(findings, options, started, about)}")


async def _measure(names: list[str], options: Options) -> tuple[list[Finding], dict[str, str]]:
    rows: list[Finding] = []
    async with open_lab(options.seed) as lab:
        for name in names:
            click.echo(f"{name} …", err=True)
            try:
                async with asyncio.timeout(SUITE_SECONDS):
                    rows += (await SUITES[name](lab, options)).rows
            except TimeoutError:
                rows.append(Finding(name, "the suite", note=f"not done within {SUITE_SECONDS:g} s"))
        return rows, await versions(lab.url)


if __name__ == "__main__":
    main()
