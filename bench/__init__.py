"""How fast the platform is beside its peers: in one run, interleaved, on the same data, as ratios.

`python -m bench` (or `make bench`) prints a table; `--write` puts it into docs/benchmarks.md.
"""
