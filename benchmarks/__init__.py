"""Loads against peers and limits. `python -m benchmarks --help`; what the figures mean: benchmarks/README.md."""
