"""Pure knowledge of genomes: contigs, PAR and ploidy, intervals, alleles, reference digests."""
