"""Servers that Graphmark is measured against: each a process of its own on loopback, on the same database.

`python -m benchmarks.peers setup` installs those of npm; `make install` does not. Every peer reads BENCH_PORT,
BENCH_DATABASE_URL and BENCH_OWNER (the account whose bookmarks it shows).
"""
