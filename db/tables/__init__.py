"""The tables as Piccolo knows them: names and types that queries and migrations are checked against."""
