"""Enrichment as rows: what the pages of bookmarks said when they were last read."""

from db.enrichment.pages import PageDraft, PageRow, index_words, of_bookmark, save, touch

__all__ = ["PageDraft", "PageRow", "index_words", "of_bookmark", "save", "touch"]
