"""Print how long each rule took in the last run of this folder, as a table in Markdown.

    python benchmarks/stage_times.py [logs/jobs.tsv]

Every run writes that table at its end. Seconds are wall-clock, of jobs that ran side by side.
"""

import sys

from mri2pet.runs.times import read_jobs, sum_times, wall_seconds


def main() -> None:
    """Print the table, longest rule first."""
    jobs = read_jobs(sys.argv[1] if len(sys.argv) > 1 else "logs/jobs.tsv")
    rows = sum_times(jobs, lambda job: job.rule)
    print("| rule | jobs | mean s | sum s |\n|---|---|---|---|")
    for row in rows:
        print(f"| {row.name} | {row.jobs} | {row.mean:.1f} | {row.total:.0f} |")
    jobs_all, total = sum(row.jobs for row in rows), sum(row.total for row in rows)
    print(f"| all | {jobs_all} | | {total:.0f}; wall clock {wall_seconds(jobs):.0f} |")


if __name__ == "__main__":
    main()
