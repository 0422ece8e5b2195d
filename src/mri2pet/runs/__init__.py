"""What a call of the workflow did: its jobs, how long they took, and what failed."""
