"""Which engine counts: the compiled kernel where it was built, else cyvcf2 and numpy; the counts are the same."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tessera.cohort.sites import Reader, RecordReader
from tessera.cohort.tally import Membership
from tessera.errors import refuse
from tessera.files.vcf import VariantFile
from tessera.summary.people import People

Engine = Literal["auto", "kernel", "reference"]


def reader_of(file: VariantFile, people: People, engine: Engine = "auto") -> tuple[Reader, str]:
    """The file, read for `people` (in its order), and the name of the engine that reads it.

    Raises InputError when the kernel is asked for and was not built.
    """
    members = members_of(file.samples, people)
    if engine != "reference":
        from tessera.cohort.kernel import library
        from tessera.cohort.kernel_reader import KernelReader

        if library() is not None:
            return KernelReader(file, members, people.names), "kernel"
        if engine == "kernel":
            raise refuse(
                "--engine", "kernel, which was not built", "a C compiler when tessera is installed",
                "Install tessera again where there is one, or use the reference engine.",
            )  # fmt: skip
    return RecordReader(file.checked_records(people.names), members), "reference"


def members_of(samples: Sequence[str], people: People) -> Membership:
    """The people's columns among a file's samples, and their strata."""
    column = {name: at for at, name in enumerate(samples)}
    columns = np.array([column[name] for name in people.names], np.intp)
    return Membership(columns, people.stratum_index(), len(samples), len(people.labels))
