"""`python -m app …` is `graphmark …`."""

from app.cli import main

main()
