"""The background engine, against a real PostgreSQL."""
