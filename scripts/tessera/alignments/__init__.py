"""Alignments: metrics of one sample's CRAM."""
