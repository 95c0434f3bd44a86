"""How lists look on a terminal: a table of whole ids while they fit, else of short ones, else a block an item."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

FOLDED_WIDTH = 10
"""Characters that a column of sentences keeps at least, unless it needs less."""
EMPTY = "there is nothing in this list"
"""In place of headings without rows, which look like an answer that was cut off."""
GAP = 2
"""Spaces between two columns."""


def cell(value: object) -> str:
    """A value as text; a list of texts takes a line each, so that each can be copied."""
    if value is None:
        return "-"
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return "\n".join(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


class _Grid:
    """Rows of text under headings, and the width that they need.

    A column of single words (ids, moments, counts) is never cut or folded, unless it is one of ``folding``;
    one of sentences folds.
    """

    def __init__(
        self, items: Sequence[Mapping[str, Any]], columns: Sequence[str], folding: Collection[str] = ()
    ) -> None:
        self.rows = [[cell(item.get(column)) for column in columns] for item in items]
        self._table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
        self.width = GAP * (len(columns) - 1)
        for at, column in enumerate(columns):
            texts = [row[at] for row in self.rows]
            longest = max((len(line) for text in texts for line in (column, *text.split("\n"))), default=0)
            whole = column not in folding and not any(" " in text for text in texts)
            least = longest if whole else max(len(column), min(longest, FOLDED_WIDTH))
            self.width += least
            self._table.add_column(column, min_width=least, no_wrap=whole, overflow="fold")
        for row in self.rows:
            self._table.add_row(*map(Text, row))

    def print(self, console: Console) -> None:
        """Print as a table, wider than the console where it must be."""
        if self.width > console.width:
            console = Console(file=console.file, width=self.width, highlight=False, emoji=False)
        console.print(self._table)


def print_rows(
    console: Console,
    items: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    brief: Sequence[Mapping[str, Any]] = (),
    wide: bool = False,
) -> bool:
    """Print these columns of the items; returns whether they were printed ``brief``.

    A table while every id and moment fits in it whole, or anyhow when ``wide``; else the table of the same items
    in ``brief``, where there is one; else a block of lines an item. In ``brief`` the first column, the id, stays
    whole; the other names may fold. A list without items is told in a sentence.
    """
    if not items:
        console.print(EMPTY)
        return False
    grid = _Grid(items, columns)
    if wide or grid.width <= console.width:
        grid.print(console)
        return False
    if brief:
        short = _Grid(brief, columns, {name for name in columns[1:] if _differ(items, brief, name)})
        if short.width <= console.width:
            short.print(console)
            return True
    _print_blocks(console, grid.rows, columns)
    return False


def _differ(items: Sequence[Mapping[str, Any]], brief: Sequence[Mapping[str, Any]], column: str) -> bool:
    return any(long.get(column) != short.get(column) for long, short in zip(items, brief, strict=True))


def _print_blocks(console: Console, rows: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
    for number, row in enumerate(rows):
        if number:
            console.print()
        print_members(console, dict(zip(columns, row, strict=True)))


def print_members(console: Console, members: Mapping[str, object]) -> None:
    """One line a member, its name first; the terminal itself breaks what is longer, so that it copies whole."""
    width = max(map(len, members), default=0)
    for name, value in members.items():
        first, *others = cell(value).split("\n")
        console.print(Text.assemble((f"{name:<{width}}", "bold"), "  ", first), soft_wrap=True)
        for line in others:
            console.print(Text(" " * (width + 2) + line), soft_wrap=True)
