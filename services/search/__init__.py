"""Search: the query language, and finding bookmarks with it."""
