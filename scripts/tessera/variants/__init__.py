"""Variants: what to call in whom."""
