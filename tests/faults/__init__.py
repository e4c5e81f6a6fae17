"""Processes killed while they work; what must be true afterwards."""
