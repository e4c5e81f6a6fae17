"""What is true: the rules of the product, free of frameworks, the same for every caller."""
