"""Hypothesis settings: no deadline, for the first example pays for imports; in CI the same examples each time."""

import os

from hypothesis import settings

settings.register_profile("laptop", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "laptop")
