"""Tests of the composition root: transports, probes, hardening."""
