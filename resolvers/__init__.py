"""How a field is answered: who asks, one service call, rows back."""
