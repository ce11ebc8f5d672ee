"""What became of the records and carriers of a file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tessera.cohort.sites import IntArray
from tessera.cohort.tally import no_tallies
from tessera.errors import InputError, refuse

#: records with another REF than the reference's that are enough to stop, and how many the message shows
MISMATCHES_READ, MISMATCHES_SHOWN = 20, 5


@dataclass
class Ledger:
    """What came in and where it went: carriers in people x alleles, which must balance, and records of the file;
    `bases` of the build by how many records speak of them; `tallies` (columns, TALLIES) are each person's, private;
    `mismatches` records with another REF than the reference's."""

    entries: Counter[str] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)
    bases: Counter[str] = field(default_factory=Counter)
    tallies: IntArray | int = 0
    mismatches: list[str] = field(default_factory=list)

    def add(self, other: "Ledger") -> None:
        """Take in what another part of the file came to."""
        self.bases += other.bases
        self.entries += other.entries
        self.records += other.records
        if not isinstance(other.tallies, int):
            mine = self.tallies_of(len(other.tallies))
            mine += other.tallies
        self.mismatches += other.mismatches

    def tallies_of(self, columns: int) -> IntArray:
        """The tallies of a file with so many columns, to be added to: of many people they are no small array."""
        if isinstance(self.tallies, int):
            self.tallies = no_tallies(columns)
        return self.tallies

    def check(self) -> None:
        """Raise when carriers were lost: that is an error of ours, never of the input."""
        dropped = sum(n for name, n in self.entries.items() if name.startswith("carriers_dropped:"))
        if self.entries["carriers_in"] != self.entries["carriers_counted"] + dropped:
            raise AssertionError(f"the conservation ledger does not balance: {dict(self.entries)}")


def wrong_reference(mismatches: Sequence[str]) -> InputError:
    """The refusal of a file whose records have another REF than the reference's."""
    number = f"{len(mismatches)} records" + (" or more" if len(mismatches) >= MISMATCHES_READ else "")
    shown = "; ".join(mismatches[:MISMATCHES_SHOWN])
    return refuse(
        "REF", f"not the reference's in {number}: {shown}", "the bases of the reference in every record",
        "Give the reference that the file was made on.",
    )  # fmt: skip
