"""What a page says of itself in structured form: JSON-LD, Open Graph, microdata, RDFa and Dublin Core, by extruct.

Each vocabulary becomes `Facts` of the same shape; merging decides between them. One that cannot be read says nothing.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import lxml.html
from extruct.dublincore import DublinCoreExtractor
from extruct.jsonld import JsonLdExtractor
from extruct.opengraph import OpenGraphExtractor
from extruct.rdfa import RDFaExtractor
from extruct.w3cmicrodata import MicrodataExtractor

from kit.page.cleaning import unescaped

MAX_OBJECTS: Final = 200
"""So many objects of one vocabulary are looked at."""

MAX_SCRIPTS: Final = 20
"""So many blocks of JSON-LD are read, each up to `MAX_SCRIPT_CHARS`."""

MAX_SCRIPT_CHARS: Final = 500_000
MAX_RDFA_CHARS: Final = 300_000
"""Longer pages are not searched for RDFa, which takes a second for so much."""

MAX_ITEMPROPS: Final = 2_000
"""Pages with more elements of microdata are not searched for it: its reader takes quadratic time."""

_ABOUT_OTHERS: Final = frozenset({
    "Organization", "Person", "BreadcrumbList", "SiteNavigationElement", "ImageObject", "SearchAction", "ListItem",
    "WPHeader", "WPFooter", "WPSideBar", "Corporation", "NewsMediaOrganization", "LocalBusiness", "Comment", "Rating",
})  # fmt: skip
_OG_NAMES: Final = {
    "og:title": "title",
    "og:description": "description",
    "og:site_name": "site_name",
    "og:locale": "language",
    "og:url": "url",
    "og:type": "kind",
    "og:image:secure_url": "image",
    "og:image": "image",
    "og:image:url": "image",
    "article:author": "author",
    "book:author": "author",
    "article:published_time": "published",
    "article:tag": "keywords",
    "book:tag": "keywords",
    "video:tag": "keywords",
}
_DC_NAMES: Final = {
    "title": "title",
    "description": "description",
    "abstract": "description",
    "creator": "author",
    "publisher": "site_name",
    "issued": "published",
    "date": "published",
    "created": "published",
    "language": "language",
    "subject": "keywords",
}
_RDFA_PREFIXES: Final = ("http://schema.org/", "https://schema.org/", "http://purl.org/dc/terms/")


@dataclass(slots=True)
class Facts:
    """What one vocabulary says: texts by the name of a field, each list in the order of the page.

    The names are title, description, author, site_name, published, language, image, url, kind, keywords.
    """

    values: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, value: object) -> None:
        """Remember a value if it is text with something in it."""
        if isinstance(value, (str, int, float)) and str(value).strip():
            self.values.setdefault(name, []).append(unescaped(str(value)))

    def get(self, name: str) -> list[str]:
        """Return the values of a field."""
        return self.values.get(name, [])


@dataclass(slots=True)
class Structured:
    """What all vocabularies say."""

    json_ld: Facts = field(default_factory=Facts)
    open_graph: Facts = field(default_factory=Facts)
    microdata: Facts = field(default_factory=Facts)
    rdfa: Facts = field(default_factory=Facts)
    dublin_core: Facts = field(default_factory=Facts)


def structured(tree: lxml.html.HtmlElement, text: str, url: str) -> Iterator[Structured]:
    """Read all vocabularies, one after the other; what was read so far is yielded after each. Never raises."""
    logging.getLogger("rdflib").setLevel(logging.CRITICAL)
    found = Structured()
    steps: tuple[tuple[str, Callable[[], Facts]], ...] = (
        ("json_ld", lambda: _json_ld(tree)),
        ("open_graph", lambda: _open_graph(tree)),
        ("dublin_core", lambda: _dublin_core(tree)),
        ("microdata", lambda: _microdata(tree, url)),
        ("rdfa", lambda: _rdfa(text, url)),
    )
    for name, read in steps:
        try:
            setattr(found, name, read())
        except Exception:  # noqa: BLE001, S112  pages break these readers in every way; the others still speak
            continue
        yield found


def _json_ld(tree: lxml.html.HtmlElement) -> Facts:
    objects: list[dict[str, Any]] = []
    reader = JsonLdExtractor()
    for script in tree.xpath('//script[contains(@type, "ld+json")]')[:MAX_SCRIPTS]:
        if len(script.text or "") > MAX_SCRIPT_CHARS:
            continue
        script.set("type", "application/ld+json")
        try:
            items = reader.extract_items(script)
        except (ValueError, TypeError, RecursionError):  # this block is no JSON; the next one may be
            continue
        objects += _objects(items)
    return facts_of(objects[:MAX_OBJECTS])


def _objects(items: object, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the objects of a document and those of its graphs, outermost first."""
    for item in items if isinstance(items, list) else [items]:
        if not isinstance(item, dict):
            continue
        yield item
        for name in ("@graph", "mainEntity", "itemListElement", "hasPart"):
            if depth < 4 and isinstance(item.get(name), (list, dict)):  # noqa: PLR2004  deeper is about other things
                yield from _objects(item[name], depth + 1)


def _microdata(tree: lxml.html.HtmlElement, url: str) -> Facts:
    if not 0 < len(tree.xpath("//*[@itemprop]")) <= MAX_ITEMPROPS:
        return Facts()
    items = MicrodataExtractor(nested=True).extract_items(tree, base_url=url)
    return facts_of([_flat(item) for item in items[:MAX_OBJECTS] if isinstance(item, dict)])


def _flat(item: dict[str, Any]) -> dict[str, Any]:
    """Return an object of microdata in the shape of JSON-LD."""
    properties = item.get("properties")
    flat = {
        name: [_flat(value) if isinstance(value, dict) else value for value in _listed(values)]
        for name, values in (properties.items() if isinstance(properties, dict) else ())
    }
    return {"@type": item.get("type"), **flat}


def _rdfa(text: str, url: str) -> Facts:
    if len(text) > MAX_RDFA_CHARS or "typeof" not in text:
        return Facts()
    objects = []
    for item in RDFaExtractor().extract(text, base_url=url)[:MAX_OBJECTS]:
        flat: dict[str, Any] = {"@type": item.get("@type"), "@id": item.get("@id")}
        for name, values in item.items():
            short = next((name.removeprefix(prefix) for prefix in _RDFA_PREFIXES if name.startswith(prefix)), None)
            if short is not None:
                flat[short] = [
                    value.get("@value", value) if isinstance(value, dict) else value for value in _listed(values)
                ]
        objects.append(flat)
    return facts_of(objects)


def _open_graph(tree: lxml.html.HtmlElement) -> Facts:
    facts = Facts()
    for page in OpenGraphExtractor().extract_items(tree):
        for name, value in page["properties"][:MAX_OBJECTS]:
            if name.lower() in _OG_NAMES:
                facts.add(_OG_NAMES[name.lower()], value)
    return facts


def _dublin_core(tree: lxml.html.HtmlElement) -> Facts:
    facts = Facts()
    for page in DublinCoreExtractor().extract_items(tree):
        for item in [*page["elements"], *page["terms"]][:MAX_OBJECTS]:
            scheme, _, name = str(item.get("name", "")).lower().rpartition(".")
            if scheme in {"dc", "dcterms"} and name in _DC_NAMES:
                facts.add(_DC_NAMES[name], item.get("content"))
    return facts


def facts_of(objects: list[dict[str, Any]]) -> Facts:
    """Return what objects of schema.org say of the page: the most fitting one, then the site around it."""
    facts = Facts()
    named = {str(item["@id"]): item for item in objects if isinstance(item.get("@id"), str)}
    about = sorted((item for item in objects if _fit(item) < _NO_FIT), key=_fit)
    for item in about[:1]:
        _add_work(facts, item, named)
    for item in objects:
        if "WebSite" in _types(item):
            facts.add("site_name", _text_of(item.get("name"), named))
    return facts


_NO_FIT: Final = 9


def _fit(item: dict[str, Any]) -> int:
    """Return how little an object is what the page is about: 0 for an article, `_NO_FIT` for what is about others."""
    types = _types(item)
    if not types or types & _ABOUT_OTHERS or not any(item.get(name) for name in ("headline", "name", "title")):
        return _NO_FIT
    if any(kind.endswith(("Article", "Posting")) for kind in types):
        return 0
    if any(kind.endswith("Page") for kind in types):
        return 2
    return 3 if "WebSite" in types else 1


def _add_work(facts: Facts, item: dict[str, Any], named: dict[str, dict[str, Any]]) -> None:
    for name in ("headline", "name", "title"):
        facts.add("title", _text_of(item.get(name), named))
    facts.add("description", _text_of(item.get("description"), named))
    for author in [*_listed(item.get("author")), *_listed(item.get("creator"))]:
        facts.add("author", _text_of(author, named))
    facts.add("site_name", _text_of(item.get("publisher"), named))
    for name in ("datePublished", "dateCreated", "uploadDate"):
        facts.add("published", _text_of(item.get(name), named))
    facts.add("language", _text_of(item.get("inLanguage"), named))
    for image in [*_listed(item.get("image")), *_listed(item.get("thumbnailUrl"))]:
        facts.add("image", _image_of(image, named))
    facts.add("url", _text_of(item.get("url"), named))
    facts.add("kind", min(_types(item), default=None))
    for keyword in _listed(item.get("keywords")):
        facts.add("keywords", _text_of(keyword, named))


def _types(item: dict[str, Any]) -> set[str]:
    return {kind.rpartition("/")[2] for kind in _listed(item.get("@type")) if isinstance(kind, str)}


def _text_of(value: object, named: dict[str, dict[str, Any]]) -> object:
    """Return the text of a value: itself, the name of the object that it is or refers to, or its first element."""
    if isinstance(value, list):
        return next((text for part in value if (text := _text_of(part, named))), None)
    if isinstance(value, dict):
        there = value if len(value) > 1 else named.get(str(value.get("@id")), value)
        return next((text for name in ("name", "@value", "alternateName") if (text := _plain(there.get(name)))), None)
    return value


def _image_of(value: object, named: dict[str, dict[str, Any]]) -> object:
    if isinstance(value, dict):
        there = value if len(value) > 1 else named.get(str(value.get("@id")), value)
        return next((text for name in ("url", "contentUrl", "@id") if (text := _plain(there.get(name)))), None)
    return value


def _plain(value: object) -> str | None:
    """Return the first text of a value: microdata and RDFa have lists of them where JSON-LD has one."""
    return next((text for text in _listed(value) if isinstance(text, str) and text.strip()), None)


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
