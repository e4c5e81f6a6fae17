"""The door to the outside: what may be dialled, what is read, and what ends when."""
