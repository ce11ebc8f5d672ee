"""Cohort: who is counted, and the count."""
