"""Count genotypes by stratum with Hail, on one core: FILE GROUPS OUT; run by bench/hail/bin/python.

OUT is a table with tabs, a row per variant and stratum. Hail reads no BCF, and takes a half-call as missing.
"""

import sys

import hail as hl


def main() -> None:
    source, groups, out = sys.argv[1:]
    hl.init(master="local[1]", quiet=True, log=f"{out}.log")
    strata = hl.import_table(groups, no_header=True).key_by("f0")
    cohort = hl.import_vcf(source, force_bgz=True, reference_genome=None)
    cohort = cohort.annotate_cols(stratum=strata[cohort.s].f1)
    genotype = cohort.GT
    counts = hl.struct(
        n_dip=hl.agg.count_where(hl.is_defined(genotype)),
        alts=hl.agg.array_agg(
            lambda allele: hl.struct(
                n_het=hl.agg.count_where((genotype[0] == allele) != (genotype[1] == allele)),
                n_homalt=hl.agg.count_where((genotype[0] == allele) & (genotype[1] == allele)),
            ),
            hl.range(1, hl.len(cohort.alleles)),
        ),
    )
    rows = cohort.select_rows(found=hl.array(hl.agg.group_by(cohort.stratum, counts))).rows().explode("found")
    rows = rows.annotate(alt=hl.enumerate(rows.found[1].alts)).explode("alt")
    rows = rows.key_by()
    rows.select(
        pos=rows.locus.position,
        ref=rows.alleles[0],
        alt=rows.alleles[rows.alt[0] + 1],
        stratum=rows.found[0],
        n_dip=rows.found[1].n_dip,
        n_het=rows.alt[1].n_het,
        n_homalt=rows.alt[1].n_homalt,
    ).export(out)


if __name__ == "__main__":
    main()
