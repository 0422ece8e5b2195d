"""Jobs that begin in a copy of a Python that has imported their packages already."""
