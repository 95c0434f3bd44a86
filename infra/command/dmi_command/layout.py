"""How lists look on a terminal: a table while every id and moment fits in it whole, else a block of lines an item."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

FOLDED_WIDTH = 10
"""Characters that a column of sentences keeps at least, unless it needs less."""
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


def print_rows(console: Console, items: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print these columns of the items.

    A column of single words (ids, moments, counts) is never cut or folded; one of sentences folds.
    """
    rows = [[cell(item.get(column)) for column in columns] for item in items]
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
    needed = GAP * (len(columns) - 1)
    for at, column in enumerate(columns):
        texts = [row[at] for row in rows]
        longest = max((len(line) for text in texts for line in (column, *text.split("\n"))), default=0)
        whole = not any(" " in text for text in texts)
        least = longest if whole else max(len(column), min(longest, FOLDED_WIDTH))
        needed += least
        table.add_column(column, min_width=least, no_wrap=whole, overflow="fold")
    if needed > console.width:
        _print_blocks(console, rows, columns)
        return
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


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
