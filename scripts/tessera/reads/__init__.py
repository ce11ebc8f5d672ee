"""Reads: what trimming did."""
