"""What the benchmarks of speed share: cases, and ways to time and count."""
