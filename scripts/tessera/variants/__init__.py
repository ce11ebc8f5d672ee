"""Variants: metrics of one sample's calls."""
