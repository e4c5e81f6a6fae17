"""What a page's own HTML says: its head, its forms, and all text that can be seen. Bears any markup."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from kit.page.cleaning import address, paragraphs

MAX_TAGS: Final = 500
"""So many `meta` and `link` elements are looked at."""

MAX_SEEN_CHARS: Final = 1_000_000
"""Visible text is read up to here."""

MAX_NODES: Final = 200_000
"""Visible text is looked for in so many nodes."""

_UNSEEN: Final = frozenset({
    "script", "style", "noscript", "template", "svg", "iframe", "object", "nav", "header",
    "footer", "aside", "dialog", "select", "head", "-comment",
})  # fmt: skip
_INLINE: Final = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "kbd",
    "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup",
})  # fmt: skip
_MOUNTS: Final = "#root, #app, #__next, #__nuxt, #___gatsby, #svelte, app-root, [ng-app], [data-reactroot]"
_LITTLE_CHARS: Final = 200
_ALMOST_NOTHING_CHARS: Final = 20
_REFRESH: Final = re.compile(r"\s*(\d{1,4})(?:\.\d*)?\s*[;,]\s*(?:url\s*=\s*)?[\"']?([^\"'>]+)", re.IGNORECASE)
_REFRESH_SECONDS: Final = 10
_SIZE: Final = re.compile(r"(\d{1,4})x\d{1,4}", re.IGNORECASE)
_ICON_PIXELS: Final = 32


@dataclass(slots=True)
class Outline:
    """What was found at `url`. `metas`: the values of each `name`, `property`, `http-equiv` in lower case, in order."""

    url: str
    base: str
    metas: dict[str, list[str]] = field(default_factory=dict)
    links: dict[str, list[str]] = field(default_factory=dict)
    title: str | None = None
    heading: str | None = None
    language: str | None = None
    time: str | None = None
    icon: str | None = None
    seen: str = ""
    is_script_only: bool = False
    has_password_field: bool = False
    refresh_url: str | None = None
    link_count: int = 0

    def meta(self, *names: str) -> list[str]:
        """Return the values of the first of `names` that the page has, then those of the next."""
        return [value for name in names for value in self.metas.get(name, ())]


def outline(text: str, url: str) -> Outline:
    """Read the HTML `text` that was found at `url`."""
    tree = LexborHTMLParser(text)
    found = Outline(url, _base(tree, url))
    _read_metas(tree, found)
    _read_links(tree, found)
    found.title = _text(tree.css_first("head > title") or tree.css_first("title"))
    found.heading = _text(tree.css_first("h1"))
    html = tree.css_first("html")
    found.language = _attribute(html, "lang") or _attribute(html, "xml:lang") if html is not None else None
    time = tree.css_first("article time[datetime], main time[datetime], time[datetime][pubdate]")
    found.time = _attribute(time, "datetime") if time is not None else None
    found.has_password_field = tree.css_first("input[type=password i]") is not None
    found.link_count = len(tree.css("a[href]"))
    found.refresh_url = _refresh(found, url)
    _read_body(tree, found)
    return found


def _base(tree: LexborHTMLParser, url: str) -> str:
    base = tree.css_first("base[href]")
    return (address(_attribute(base, "href"), url) if base is not None else None) or url


def _read_metas(tree: LexborHTMLParser, found: Outline) -> None:
    for node in _some(tree, "meta[content]"):
        value = _attribute(node, "content")
        for attribute in ("name", "property", "http-equiv", "itemprop"):
            name = _attribute(node, attribute)
            if name and value:
                found.metas.setdefault(name.strip().lower(), []).append(value)


def _read_links(tree: LexborHTMLParser, found: Outline) -> None:
    best: tuple[int, str] | None = None
    for node in _some(tree, "link[rel][href]"):
        href = _attribute(node, "href")
        rels = (_attribute(node, "rel") or "").lower().split()
        if not href:
            continue
        for rel in rels:
            found.links.setdefault(rel, []).append(href)
        cost = _icon_cost(rels, _attribute(node, "sizes") or "")
        if cost is not None and address(href, found.base) is not None and (best is None or cost < best[0]):
            best = (cost, href)
    found.icon = best[1] if best else None


def _icon_cost(rels: list[str], sizes: str) -> int | None:
    """Return how far an icon is from the wanted 32 pixels; those made for a home screen come last."""
    if "icon" in rels:
        size = _SIZE.search(sizes)
        return abs(int(size.group(1)) - _ICON_PIXELS) if size else _ICON_PIXELS
    return 10_000 if any(rel.startswith("apple-touch-icon") for rel in rels) else None


def _read_body(tree: LexborHTMLParser, found: Outline) -> None:
    has_mount = tree.css_first(_MOUNTS) is not None
    has_script = tree.css_first("script") is not None
    asks_for_script = any("javascript" in (_text(node) or "").lower() for node in _some(tree, "noscript"))
    body = tree.body
    if body is None:
        return
    found.seen = paragraphs(_seen(body))
    length = len(found.seen)
    found.is_script_only = has_script and (
        length < _ALMOST_NOTHING_CHARS or (length < _LITTLE_CHARS and (has_mount or asks_for_script))
    )


def _seen(body: LexborNode) -> str:
    """Return the text below `body` that a reader sees, without navigation; the elements of a line stay on one line."""
    pieces: list[str] = []
    chars = 0
    end = body.mem_id
    node = body.first_child
    for _ in range(MAX_NODES):
        if node is None or chars > MAX_SEEN_CHARS:
            break
        if node.is_text_node:
            piece = node.text_content or ""
            pieces.append(piece.replace("\n", " "))
            chars += len(piece)
        elif node.tag not in _INLINE:
            pieces.append("\n")
        below = None if node.tag in _UNSEEN else node.first_child
        node = below if below is not None else _behind(node, end)
    return "".join(pieces)


def _behind(node: LexborNode, end: int) -> LexborNode | None:
    """Return what follows a node and all below it, up to the element whose memory id is `end`."""
    current: LexborNode | None = node
    while current is not None and current.mem_id != end:
        if current.next is not None:
            return current.next
        current = current.parent
    return None


def _refresh(found: Outline, url: str) -> str | None:
    for value in found.meta("refresh"):
        match = _REFRESH.match(value)
        if match and int(match.group(1)) <= _REFRESH_SECONDS:
            target = address(match.group(2), found.base)
            if target is not None and target != address(url, url):
                return target
    return None


def _some(tree: LexborHTMLParser, selector: str) -> Iterator[LexborNode]:
    yield from tree.css(selector)[:MAX_TAGS]


def _attribute(node: LexborNode, name: str) -> str | None:
    return node.attributes.get(name)


def _text(node: LexborNode | None) -> str | None:
    return node.text(separator=" ", strip=True) if node is not None else None
