"""The noun at the centre: leaf table, AN track, histograms, manifest, fingerprint, and + / -."""
