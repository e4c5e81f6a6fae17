"""The outside of Graphmark for tests: real servers on loopback."""
