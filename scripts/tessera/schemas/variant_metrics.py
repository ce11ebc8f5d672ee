"""Metrics of each person's calls, ours and the seven of the GA4GH standard; private, one row a person."""

from tessera.schemas.table import Column, Table
from tessera.schemas.wgs_qc import VARIANT_METRICS as STANDARD

VARIANT_METRICS = Table(
    name="variant_metrics",
    version=2,
    columns=(
        Column("sample", "String", "name of the sample"),
        Column(
            "call_rate",
            "Float64",
            "gVCF: called bases over the bases of the autosomes (without N, when a reference is given); cohort VCF: "
            "records of the autosomes with a called genotype over all that pass FILTER and list a variant; under the "
            "mask of the count",
        ),
        Column(
            "het_hom_ratio",
            "Float64",
            "heterozygous over homozygous-ALT autosomal SNV genotypes; inf without homozygous ones, null without both",
        ),
        Column(
            "x_heterozygosity",
            "Float64",
            "share of the SNVs on X outside the PARs that are heterozygous; null below 20 written with two alleles",
        ),
        *(
            Column(name, "Float64" if metric.decimals else "Int64", metric.meaning, metric.unit)
            for name, metric in STANDARD.items()
        ),
    ),
)
