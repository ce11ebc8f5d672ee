"""Report: what a run found, for people."""
