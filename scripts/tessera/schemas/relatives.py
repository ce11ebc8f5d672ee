"""Genotypes at markers, one row a person; and pairs of a node that are too alike for strangers. Both private."""

from tessera.schemas.table import Column, Table

#: kinship from which on a pair is of that degree (Manichaikul et al. 2010, table 1: powers of 2, half a step apart)
DEGREES = (("duplicate", 2**-1.5), ("first", 2**-2.5), ("second", 2**-3.5), ("third", 2**-4.5))

MARKER_COPIES = Table(
    name="marker_copies",
    version=1,
    columns=(
        Column("sample", "String", "name of the sample"),
        Column("copies", "String", "a sign for each marker, in the order of the BED: copies of ALT, `.` where unknown"),
    ),
)

RELATIVES = Table(
    name="relatives",
    version=1,
    columns=(
        Column("sample_1", "String", "name of one sample, the earlier in the alphabet"),
        Column("sample_2", "String", "name of the other"),
        Column("markers", "Int64", "markers at which both have a believed genotype"),
        Column("kinship", "Float64", "KING-robust kinship coefficient: 0.5 of a person with itself, 0.25 of siblings"),
        Column("relation", "String", "duplicate (or monozygotic twin), first, second or third degree"),
    ),
)
