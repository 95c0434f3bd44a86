"""Modules stay small enough to read at one sitting."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("agreements", "infra", "services")
MODULES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
    if not {"node_modules", "migrations", "build"} & set(path.parts)
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_has_at_most_400_lines_and_its_functions_fewer_than_60(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        # A function that only holds routes is a table of them; each route in it is counted by itself.
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _holds_routes(node)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 >= 60
    }
    assert not long


def _holds_routes(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return isinstance(node, ast.FunctionDef) and (
        isinstance(node.returns, ast.Name) and node.returns.id == "APIRouter"
    )
