"""The composition root: puts the layers together and starts them."""
