"""What is remembered: tables, frozen rows, and every query."""
