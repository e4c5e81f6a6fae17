"""The house rules as programs. Each says in its failure what to do; the reasons are in docs/architecture.md."""
