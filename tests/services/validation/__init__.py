"""Tests of links: statuses, verdicts, signs of soft errors, recording."""
