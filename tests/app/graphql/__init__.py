"""Tests of the GraphQL endpoint: a small schema behind the real application, under uvicorn."""
