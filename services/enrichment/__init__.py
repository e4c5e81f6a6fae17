"""Enrichment: bringing what a page says into its bookmark, without ever writing over what a person wrote."""

from services.enrichment.filling import Decision, decide
from services.enrichment.found import is_readable, media_type, of_file, of_page, validators
from services.enrichment.pages import Reading, keep_reading, remembered
from services.enrichment.words import MAX_PAGE_WORDS, page_words

__all__ = [
    "MAX_PAGE_WORDS",
    "Decision",
    "Reading",
    "decide",
    "is_readable",
    "keep_reading",
    "media_type",
    "of_file",
    "of_page",
    "page_words",
    "remembered",
    "validators",
]
