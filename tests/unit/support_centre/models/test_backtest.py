"""The backtest: no look ahead, clear refusals, the promised columns, and its quality on real data."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dmi_infra.clock import from_text, to_text
from dmi_support_centre.models.backtest import COLUMNS, Backtest, BacktestRefused, backtest
from dmi_support_centre.models.forecast import PlaceHistory
from dmi_support_centre.models.forecast.series import DAY

HEADER = "SystemCodeNumber,Capacity,Occupancy,LastUpdated"
MakeHistory = Callable[..., dict[str, PlaceHistory]]
Line = tuple[str, float, float, int]


def lines_of(history: dict[str, PlaceHistory]) -> list[Line]:
    return [
        (name, one.capacity or 0, value, int(at))
        for name, one in history.items()
        for at, value in zip(one.series.times, one.series.values, strict=True)
    ]


def write(path: Path, lines: list[Line], prefix: str = "") -> Path:
    # Winter: London's wall clock is UTC, so the text needs no offset.
    rows = [f"{n},{c:g},{v:g},{to_text(at).replace('T', ' ').rstrip('Z')}" for n, c, v, at in lines]
    path.write_text(prefix + "\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def by_issue(result: Backtest, until: int) -> list[tuple[str, str, str, float, float, float]]:
    return [row for row in result.rows() if from_text(row[1]) <= until]


def last_value(lines: list[Line], row: tuple[str, str, str, float, float, float]) -> float:
    """What persistence would have said: a forecast that differs was made by the model."""
    issued = from_text(row[1])
    return max((at, value) for name, _, value, at in lines if name == row[0] and at <= issued)[1]


@pytest.fixture
def files(tmp_path: Path, make_history: MakeHistory, monday: int) -> tuple[Path, Path, list[Line]]:
    lines = lines_of(make_history(days=28, places=2, step_min=30))
    cut = monday + 23 * DAY
    train = write(tmp_path / "train.csv", [line for line in lines if line[3] < cut])
    return train, write(tmp_path / "test.csv", [line for line in lines if line[3] >= cut]), lines


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hours=st.integers(9, 90), seed=st.integers(0, 9))
def test_nothing_after_an_instant_changes_a_forecast_issued_at_or_before_it(
    files: tuple[Path, Path, list[Line]], tmp_path: Path, monday: int, hours: int, seed: int
) -> None:
    train, test, lines = files
    instant = monday + 23 * DAY + hours * 3_600_000_000
    draw = np.random.default_rng(seed)
    later = [line for line in lines if line[3] >= monday + 23 * DAY]
    altered = [
        line if line[3] <= instant else (line[0], 9.0, float(draw.integers(-5, 999)), line[3])
        for line in later
    ]
    shorter = [line for line in later if line[3] <= instant]
    made = backtest(train, test, refit_days=2)
    known = by_issue(made, instant)
    assert any(row[4] != last_value(lines, row) for row in known)
    assert known == by_issue(backtest(train, write(tmp_path / "altered.csv", altered), refit_days=2), instant)
    assert known == by_issue(backtest(train, write(tmp_path / "shorter.csv", shorter), refit_days=2), instant)


def test_later_rows_in_the_training_file_are_not_used_either(
    files: tuple[Path, Path, list[Line]], tmp_path: Path, monday: int
) -> None:
    train, test, lines = files
    instant = monday + 24 * DAY
    known = by_issue(backtest(train, test), instant)
    leaking = write(tmp_path / "leaking.csv", [(n, c, 1.0 if t > instant else v, t) for n, c, v, t in lines])
    assert known == by_issue(backtest(leaking, test), instant)


def test_overlap_duplicates_order_and_a_byte_order_mark_change_nothing(
    files: tuple[Path, Path, list[Line]], tmp_path: Path, monday: int
) -> None:
    train, test, lines = files
    expected = backtest(train, test)
    later = [line for line in lines if line[3] >= monday + 23 * DAY]
    messy_test = write(tmp_path / "messy.csv", [*reversed(later), *later[:7]], prefix="\ufeff")
    result = backtest(write(tmp_path / "all.csv", lines), messy_test)
    assert list(result.rows()) == list(expected.rows())
    counts = result.counts
    assert counts["duplicate"] == len(later) + 7
    assert counts["read"] == counts["kept"] + counts["duplicate"] + counts["rejected"]


def test_the_file_has_the_promised_columns_and_times_in_utc(
    files: tuple[Path, Path, list[Line]], tmp_path: Path
) -> None:
    result = backtest(files[0], files[1])
    out = tmp_path / "forecasts.csv"
    result.write(out)
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(result)
    for row in rows[:50]:
        ahead = datetime.fromisoformat(row["valid_at"]) - datetime.fromisoformat(row["issued_at"])
        assert row["issued_at"].endswith("Z")
        assert ahead.total_seconds() / 60 in range(15, 121, 15)
        assert 0 <= float(row["p10"]) <= float(row["p50"]) <= float(row["p90"])


def test_local_times_are_read_by_the_clock_of_birmingham(tmp_path: Path) -> None:
    path = tmp_path / "summer.csv"
    path.write_text(f"{HEADER}\nX,100,5,2016-10-04 07:59:42\n", encoding="utf-8")
    result = backtest(path, path, horizons=[15])
    assert next(result.rows())[1] == "2016-10-04T06:59:42Z"


def test_the_summary_holds_every_horizon_and_the_time_it_took(files: tuple[Path, Path, list[Line]]) -> None:
    heard: list[float] = []
    summary = backtest(files[0], files[1], progress=heard.append).summary()
    horizons = summary["horizons"]
    assert isinstance(horizons, list)
    assert [one["horizon_min"] for one in horizons] == list(range(15, 121, 15))
    assert {"mae", "mae_persistence", "mae_last_week", "coverage", "count"} <= horizons[0].keys()
    assert heard[-1] == 1.0
    assert isinstance(summary["seconds"], float)


def test_a_missing_column_is_refused_with_file_and_column(
    files: tuple[Path, Path, list[Line]], tmp_path: Path
) -> None:
    path = tmp_path / "broken.csv"
    path.write_text("SystemCodeNumber,Capacity,Time\nX,1,2\n", encoding="utf-8")
    with pytest.raises(BacktestRefused, match=r"broken\.csv, line 1: column Occupancy, LastUpdated missing"):
        backtest(files[0], path)


def test_unreadable_cells_are_left_out_and_named_by_line_and_column(
    files: tuple[Path, Path, list[Line]], tmp_path: Path
) -> None:
    path = tmp_path / "cells.csv"
    bad = "X,100,many,2023-12-05 08:00:00\nX,100,3,yesterday\nX,100,,2023-12-05 08:00:00\n,1,1,2023-12-05 08:00:00\n"
    path.write_text(files[1].read_text(encoding="utf-8") + bad, encoding="utf-8")
    result = backtest(files[0], path)
    assert [text.split(", ", 2)[2] for text in result.rejected] == [
        "column Occupancy: not a number",
        "column LastUpdated: not a time such as 2016-10-04 07:59:42",
        "column Occupancy: not a number",
        "column SystemCodeNumber: empty",
    ]
    assert result.rejected[0].startswith(f"cells.csv, line {len(files[1].read_text().splitlines()) + 1}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found nothing"),
        (HEADER.encode() + b"\n", "no usable row among 0"),
        (HEADER.encode() + b"\nX,1,1,nonsense\n", "line 2, column LastUpdated"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_files_without_usable_rows_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(BacktestRefused, match=message):
        backtest(path, path)


def test_absent_files_unknown_kinds_and_odd_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BacktestRefused, match=r"none\.csv: cannot be read"):
        backtest(tmp_path / "none.csv", tmp_path / "none.csv")
    with pytest.raises(BacktestRefused, match="known are: birmingham-parking"):
        backtest(tmp_path, tmp_path, kind="paris")
    with pytest.raises(BacktestRefused, match="horizons"):
        backtest(tmp_path, tmp_path, horizons=[0])
    with pytest.raises(BacktestRefused, match="refit_days"):
        backtest(tmp_path, tmp_path, refit_days=0)


@pytest.mark.realdata
def test_birmingham_is_forecast_far_better_than_both_baselines(real_data: Path, tmp_path: Path) -> None:
    source = (real_data / "parking" / "birmingham_2016-10-04_12-12.csv").read_text().splitlines()
    chosen = (
        "BHMBCCMKT01",
        "BHMEURBRD01",
        "Broad Street",
        "Bull Ring",
        "Shopping",
        "NIA North",
        "BHMNCPHST01",
    )
    rows = [row for row in source[1:] if row.startswith(chosen)]
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("\n".join([source[0], *(row for row in rows if row.split(",")[3] < "2016-11-22")]))
    test.write_text("\n".join([source[0], *(row for row in rows if row.split(",")[3] >= "2016-11-22")]))
    result = backtest(train, test, refit_days=7)
    total = next(one for one in result.scores if one.place is None and one.horizon_min is None)
    assert total.count > 10_000
    assert total.mae < 0.3 * total.mae_persistence
    assert total.mae_last_week is not None
    assert total.mae < 0.5 * total.mae_last_week
    assert 0.76 <= total.coverage <= 0.85
    for one in result.scores:
        if one.place is None:
            assert one.mae < 0.4 * one.mae_persistence
            assert one.mae_last_week is not None
            assert one.mae < 0.7 * one.mae_last_week
