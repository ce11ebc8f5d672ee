"""What is wrong with an input, said in four parts: where, what was found, what was expected, what to do."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

    def __reduce__(self) -> tuple[type["InputError"], tuple[list[Problem]]]:
        """It travels from process to process by its problems, not by its text."""
        return InputError, (self.problems,)


def refuse(where: str, found: str, expected: str, remedy: str = "") -> InputError:
    """An InputError with a single problem: `raise refuse(...)`."""
    return InputError([Problem(where, found, expected, remedy)])


@contextmanager
def all_at_once() -> Iterator["Gathered"]:
    """Try several things that may be refused, each as `with gathered.trying():`; raise their problems together."""
    gathered = Gathered([])
    yield gathered
    if gathered.problems:
        raise InputError(gathered.problems)


@dataclass(frozen=True)
class Gathered:
    """Problems found so far."""

    problems: list[Problem]

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Keep the problems of an InputError raised within."""
        try:
            yield
        except InputError as error:
            self.problems.extend(error.problems)
