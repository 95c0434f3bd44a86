"""Analysis: backtests of the forecast on files, and the benchmarks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from dmi_command.console import AsJson, err, out, show
from dmi_command.errors import UsageWrong
from dmi_command.layout import print_rows
from dmi_command.reports import three_digits

BENCHMARKS = Path(__file__).resolve().parents[4] / "benchmarks"


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command()(backtest)
    app.command()(bench)


def backtest(
    kind: Annotated[str, typer.Argument(help="Kind of file, for example birmingham-parking")],
    train: Annotated[
        Path, typer.Option(help="File that the forecast learns from", exists=True, dir_okay=False)
    ],
    test: Annotated[Path, typer.Option(help="File that it is judged on", exists=True, dir_okay=False)],
    file: Annotated[
        Path, typer.Option("--out", help="CSV to write: place, issued_at, valid_at, p10, p50, p90")
    ],
    as_json: AsJson = False,
) -> None:
    """Judge the occupancy forecast on files of the past, from a rolling origin without look ahead."""
    # Imported here: the models bring pandas, which no other command needs to wait for.
    from dmi_support_centre.models.backtest import BacktestRefused
    from dmi_support_centre.models.backtest import backtest as run

    try:
        with Progress(console=err, disable=as_json, transient=True) as progress:
            task = progress.add_task(f"backtest {kind}", total=1.0)
            result = run(train, test, kind, progress=lambda done: progress.update(task, completed=done))
    except BacktestRefused as exc:
        raise UsageWrong(str(exc)) from exc
    result.write(file)
    summary = {"out": str(file), **result.summary()}
    if as_json:
        show(summary, True)
        return
    out.print(f"{len(result):,} forecasts in {file}, {summary['seconds']} s", soft_wrap=True)
    horizons = summary["horizons"]
    assert isinstance(horizons, list)
    columns = ["horizon_min", "mae", "mae_persistence", "mae_last_week", "coverage", "count"]
    print_rows(out, [{name: three_digits(each[name]) for name in columns} for each in horizons], columns)


def bench(
    name: Annotated[str | None, typer.Argument(help="Name of a benchmark; left out: list them")] = None,
    options: Annotated[
        list[str] | None, typer.Argument(help="Its own arguments, for example an address")
    ] = None,
) -> None:
    """Run a benchmark of this machine; prints one JSON object."""
    names = sorted(path.stem for path in BENCHMARKS.glob("*.py"))
    if name is None:
        for each in names:
            out.print(each)
        return
    if name not in names:
        raise UsageWrong(f"NAME must be one of {', '.join(names)}, not {name}")
    finished = subprocess.run([sys.executable, str(BENCHMARKS / f"{name}.py"), *(options or [])], check=False)
    if finished.returncode:
        raise typer.Exit(finished.returncode)
