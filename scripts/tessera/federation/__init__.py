"""Federation: what others may read of a summary."""
