"""The simulated cohort: people, their heads, their scans and tables, and the truth about them."""
