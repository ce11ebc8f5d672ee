"""The types of the fixtures that run commands."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Done:
    """How a command ended: exit code and what it said."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.out.decode()


Bcftools = Callable[..., str]
Tessera = Callable[..., Done]
