"""Enrichment as rows: what the pages of bookmarks said when they were last read."""

from db.enrichment.pages import PageDraft, PageRow, PageView, index_words, of_bookmark, of_bookmarks, save, touch

__all__ = ["PageDraft", "PageRow", "PageView", "index_words", "of_bookmark", "of_bookmarks", "save", "touch"]
