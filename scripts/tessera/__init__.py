"""Tessera: genomes of a national node in, allele counts that add up exactly with those of other nodes out."""

__version__ = "0.1.0"
