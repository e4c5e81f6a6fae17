"""Tests of the benchmarks' tools: that they count right and stop, never how fast anything is."""
