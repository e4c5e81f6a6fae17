"""Tools that know nothing of bookmarks."""
