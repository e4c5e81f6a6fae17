"""Links: what a check sees, what is believed after several, and what to do about it."""
