"""What is wrong with an input, said in four parts: where, what was found, what was expected, what to do."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input, as a sentence a tired operator can act on."""

    where: str
    found: str
    expected: str
    remedy: str = ""

    def __str__(self) -> str:
        sentence = f"{self.where}: {self.found}; expected {self.expected}."
        return f"{sentence}\n  {self.remedy}" if self.remedy else sentence


class InputError(Exception):
    """All problems found in one input; the command line prints them and exits with 2."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)


def refuse(where: str, found: str, expected: str, remedy: str = "") -> InputError:
    """An InputError with a single problem: `raise refuse(...)`."""
    return InputError([Problem(where, found, expected, remedy)])
