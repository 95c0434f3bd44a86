"""What the command can end with; each has its own exit code.

CommandFailed (1)
├── UsageWrong (2)          arguments or settings that break a rule
├── CannotStart (3)         port taken, disk full, store too new, server missing
├── NotReached (4)          the stack does not answer
└── AnswerRefused (5)       the stack answered with a problem document
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class CommandFailed(Exception):
    """Root: one clear line for the person at the keyboard."""

    exit_code = 1


class UsageWrong(CommandFailed):
    """Arguments or settings that break a rule."""

    exit_code = 2


class CannotStart(CommandFailed):
    """The stack cannot start here and now."""

    exit_code = 3


class NotReached(CommandFailed):
    """Nothing answers under the address."""

    exit_code = 4


class AnswerRefused(CommandFailed):
    """A problem document from the stack."""

    exit_code = 5

    def __init__(self, problem: Mapping[str, Any]) -> None:
        lines = _sentences(str(problem.get("detail", "refused")), problem.get("errors", []))
        if "agreement" in problem:
            # The detail names the agreement already where it is the agreement's own doing.
            named = "" if problem["agreement"] in lines[0] else f"agreement {problem['agreement']}"
            moment = f"at {problem['moment']}" if "moment" in problem else ""
            lines += [f"  {' '.join(filter(None, (named, moment)))}"] if named or moment else []
        super().__init__("\n".join(lines))
        self.problem = dict(problem)
        self.status = int(problem.get("status", 0))
        self.code = str(problem.get("type", "")).rpartition(":")[2]

    def naming(self, options: Mapping[str, str]) -> AnswerRefused:
        """The same refusal with the fields under the names that the command has for them."""
        errors = self.problem.get("errors", [])
        named = [{**each, "field": _option(each["field"], options)} for each in errors]
        detail = str(self.problem.get("detail", ""))
        for old, new in zip(errors, named, strict=True):
            if detail == f"{old['field']}: {old['rule']}":
                detail = f"{new['field']}: {new['rule']}"
        return AnswerRefused({**self.problem, "detail": detail, "errors": named})


def _option(field: str, options: Mapping[str, str]) -> str:
    """The option that a field came from; of a list each item has a field of its own."""
    return next((name for path, name in options.items() if f"{field}/".startswith(f"{path}/")), field)


def _sentences(detail: str, errors: Sequence[Mapping[str, Any]]) -> list[str]:
    """The detail with a line for each broken rule below it; what the detail says already is said once."""
    broken = list(dict.fromkeys(f"{each['field']}: {each['rule']}" for each in errors))
    if detail in {each["rule"] for each in errors}:
        detail = broken[0]
    return [detail, *(f"  {line}" for line in broken if line not in detail)]
