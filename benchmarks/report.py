"""The table that people read and the file that later runs are compared with."""

import os
import platform
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.harness import Finding, Options

RESULTS: Final = Path(__file__).parent / "results"
_STYLES: Final = {"met": "green", "missed": "red", "-": "dim"}


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


def write(findings: Sequence[Finding], options: Options, started: datetime) -> Path:
    """Write the findings to a dated file and return its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{started:%Y-%m-%dT%H%M%S}{'-quick' if options.quick else ''}.json"
    path.write_bytes(
        orjson.dumps(
            {
                "startedAt": started.isoformat(),
                "options": {"quick": options.quick, "seed": options.seed},
                "machine": _machine(),
                "findings": [finding.as_json() for finding in findings],
            },
            option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
        )
    )
    return path


def _machine() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "processors": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


def _number(value: float, unit: str) -> str:
    return f"{value:,.2f} {unit}" if value < 100 else f"{value:,.0f} {unit}"  # noqa: PLR2004  three digits say enough
