"""Count genotypes by stratum with sgkit: STORE.vcz GROUPS OUT; run by bench/sgkit/bin/python after vcf2zarr.

OUT is a table with tabs, a row per variant and stratum. A half-call is left out.
"""

import sys
from pathlib import Path

import dask
import numpy as np
import sgkit


def main() -> None:
    store, groups, out = sys.argv[1:]
    pairs = [line.split("\t") for line in Path(groups).read_text().splitlines()]
    stratum_of = dict(pairs)
    cohort = sgkit.count_call_alleles(sgkit.load_dataset(store))
    stratum = np.array([stratum_of[name] for name in cohort.sample_id.values])
    alleles, positions = cohort.variant_allele.values, cohort.variant_position.values
    copies = cohort.call_allele_count.data
    called = (copies.sum(axis=2) == 2)[:, :, None]
    with Path(out).open("w") as table, dask.config.set(scheduler="synchronous"):
        table.write("pos\tref\talt\tstratum\tn_dip\tn_het\tn_homalt\n")
        names = sorted(set(stratum))
        members = [np.flatnonzero(stratum == name) for name in names]
        tables = [
            (
                called[:, who].sum(axis=1),
                (called & (copies == 1))[:, who].sum(axis=1),
                (copies == 2)[:, who].sum(axis=1),
            )
            for who in members
        ]
        for name, (dip, het, homalt) in zip(names, dask.compute(*tables), strict=True):
            for site, alternative in zip(*np.nonzero(alleles[:, 1:] != ""), strict=True):
                allele = alternative + 1
                words = (positions[site], alleles[site, 0], alleles[site, allele], name)
                numbers = (dip[site, 0], het[site, allele], homalt[site, allele])
                table.write("\t".join(map(str, (*words, *numbers))) + "\n")


if __name__ == "__main__":
    main()
