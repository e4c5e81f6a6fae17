"""The table that people read and the file that later runs are compared with.

`python -m benchmarks.report --markdown FILE` prints such a file as the tables of docs/performance.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.harness import Finding, Options

RESULTS: Final = Path(__file__).parent / "results"
_STYLES: Final = {"met": "green", "missed": "red", "-": "dim"}
_TITLES: Final = {
    "list": "Lists, the small query and memory",
    "pages": "Page depth",
    "fan-out": "Fan-out",
    "links": "Link checks",
    "vectors": "Search by meaning and by both",
    "tasks": "Work in the background",
}
Row = Mapping[str, Any]
"""A finding as it stands in a file of results: see `Finding.as_json`."""


def show(findings: Sequence[Finding]) -> None:
    """Print the table: what, n, median, 95th percentile, ratio, goal, verdict."""
    table = Table(box=None, pad_edge=False)
    for name in ("what", "n", "median", "p95", "ratio", "against", "goal", "verdict"):
        table.add_column(name, justify="left" if name in {"what", "against", "verdict"} else "right", overflow="fold")
    for finding in findings:
        samples = finding.samples
        table.add_row(
            f"{finding.group}: {finding.what}",
            str(len(samples.values)) if samples else "",
            _number(samples.median, samples.unit) if samples else "",
            _number(samples.p95, samples.unit) if samples else "",
            "" if finding.ratio is None else f"{finding.ratio:.3g}",
            finding.against or finding.note,
            str(finding.goal or ""),
            f"[{_STYLES[finding.verdict]}]{finding.verdict}[/]",
        )
    Console(width=max(160, Console().width)).print(table)


def write(findings: Sequence[Finding], options: Options, started: datetime, about: Mapping[str, Any]) -> Path:
    """Write the findings to a dated file and return its path. `about` tells of the machine and of versions."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{started:%Y-%m-%dT%H%M%S}{'-quick' if options.quick else ''}.json"
    path.write_bytes(
        orjson.dumps(
            {
                "startedAt": started.isoformat(),
                "options": {"quick": options.quick, "seed": options.seed},
                **about,
                "findings": [finding.as_json() for finding in findings],
            },
            option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
        )
    )
    return path


def markdown(kept: Mapping[str, Any]) -> str:
    """Return a file of results as Markdown: for each group what was judged, then the figures behind it."""
    machine, started = kept["machine"], datetime.fromisoformat(kept["startedAt"])
    about = (
        f"Measured on {started:%-d %B %Y} with {machine['processors']} processors ({machine['architecture']}), "
        f"{machine['memoryGiB']} GiB, {machine['system']}; load {machine['load']:g} when it began."
    )
    lines = [
        about,
        "",
        ", ".join(f"{name} {version}" for name, version in kept["versions"].items()) + ".",
    ]
    groups = dict.fromkeys(row["group"] for row in kept["findings"])
    for group in groups:
        rows = [row for row in kept["findings"] if row["group"] == group]
        lines += ["", f"### {_TITLES.get(group, group)}", *_judged(rows), *_figures(rows)]
    return "\n".join(lines) + "\n"


def _judged(rows: Sequence[Row]) -> Iterator[str]:
    yield "| what | against | ratio | goal | verdict |"
    yield "|---|---|---:|---:|---|"
    for row in rows:
        if row["ratio"] is not None:
            verdict = "**missed**" if row["verdict"] == "missed" else row["verdict"]
            yield f"| {row['what']} | {row['against']} | {row['ratio']:.2f} | {row['goal'] or ''} | {verdict} |"


def _figures(rows: Sequence[Row]) -> Iterator[str]:
    plain = [row for row in rows if row["ratio"] is None]
    if not plain:
        return
    yield from ("", "| what | n | median | p95 | besides |", "|---|---:|---:|---:|---|")
    for row in plain:
        figures = ["", "", ""]
        if row["median"] is not None:
            figures = [str(row["n"]), _number(row["median"], row["unit"]), _number(row["p95"], row["unit"])]
        yield f"| {row['what']} | {' | '.join(figures)} | {row['note']} |"


def _number(value: float, unit: str) -> str:
    return f"{value:,.2f} {unit}" if value < 100 else f"{value:,.0f} {unit}"  # noqa: PLR2004  three digits say enough


@click.command()
@click.option("--markdown", "file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(*, file: Path) -> None:
    """Print a file of results as Markdown."""
    click.echo(markdown(orjson.loads(file.read_bytes())), nl=False)


if __name__ == "__main__":
    main()
