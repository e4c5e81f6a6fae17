"""What arrives from outside, made up at random: nothing may break, everything has a word for it."""
