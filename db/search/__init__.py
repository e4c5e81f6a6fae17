"""Search as rows: conditions, the statements that find what meets them, and what to suggest while typing."""
