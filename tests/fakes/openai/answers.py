"""What the stub says: made of the page it is given, always the same for the same page."""

import re
from collections import Counter
from hashlib import blake2b
from typing import Any

WORD = re.compile(r"\w+")
DATA = re.compile(r"BEGIN DATA (\w+)\n(.*)\nEND DATA \1$", re.DOTALL)
ORDER = re.compile(r"[^.!?\n]*\b(?:ignore|disregard|you are now|system prompt)\b[^.!?\n]*", re.IGNORECASE)
MIN_KEYWORD_CHARS = 5
HACKED = "<script>alert(1)</script> See https://evil.example/?q=1 now"


def count(text: str) -> int:
    """Count tokens as the stub bills them: words."""
    return len(WORD.findall(text))


def vector(text: str, dimensions: int) -> list[float]:
    """Hash words into numbers, so that texts with words in common are near each other."""
    numbers = [0.0] * dimensions
    for word in WORD.findall(text.casefold()):
        number = int.from_bytes(blake2b(word.encode(), digest_size=4).digest())
        numbers[(number >> 1) % dimensions] += 1.0 if number & 1 else -1.0
    if not any(numbers):
        numbers[0] = 1.0
    return numbers


def reply(messages: list[dict[str, Any]], properties: set[str], *, obeys: bool = False) -> dict[str, Any]:
    """Answer a describing or a choosing question by the names of the fields that its schema asks for."""
    said = "\n".join(str(message["content"]) for message in messages if message["role"] == "user")
    found = DATA.search(said.partition("\n\nThat answer")[0].rstrip()) or DATA.search(str(messages[1]["content"]))
    assert found is not None, "no fenced data in the question"
    page = found[2]
    text = page.partition("\ntext:\n")[2]
    title = next((line[7:] for line in page.splitlines() if line.startswith("title: ")), "")
    orders = [order.strip() for order in ORDER.findall(page)] if obeys else []
    if "description" in properties:
        return describe(title, text, orders)
    return choose(said, title, text, orders)


def describe(title: str, text: str, orders: list[str]) -> dict[str, Any]:
    """Take the first sentence, the first four, and the most frequent long words."""
    sentences = [part.strip() for part in re.split(r"(?<=[.!?。])\s*", text) if part.strip()] or [title]
    words = Counter(word.casefold() for word in WORD.findall(text) if len(word) >= MIN_KEYWORD_CHARS)
    keywords = sorted(words, key=lambda word: (-words[word], word))[:5]
    if orders:
        return {"description": f"{orders[0]}. {HACKED}", "summary": ". ".join(orders), "keywords": [*orders, *keywords]}
    return {"description": sentences[0][:300], "summary": " ".join(sentences[:4])[:1_000], "keywords": keywords}


def choose(said: str, title: str, text: str, orders: list[str]) -> dict[str, Any]:
    """Choose the known names that share a word with the page; obeying, what the page orders."""
    words = {word.casefold() for word in WORD.findall(f"{title} {text}")}

    def known(kind: str) -> list[str]:
        line = next((line for line in said.splitlines() if line.startswith(f"Known {kind}: ")), "")
        names = line.partition(": ")[2].split("; ")
        return [name for name in names if words & {word.casefold() for word in WORD.findall(name)}]

    def one(name: str, sure: float) -> dict[str, Any]:
        return {"name": name, "confidence": sure, "reason": f"The page speaks of {name}."}

    categories = [name.partition(" (")[0] for name in known("categories")]
    collections = known("collections")
    if orders:
        hacked = {"name": "Hacked", "confidence": 1.0, "reason": HACKED}
        tags = [one(order, 1.0) for order in orders] + [hacked | {"name": "https://evil.example/tag"}]
        return {"tags": tags, "category": hacked, "collection": hacked}
    return {
        "tags": [one(name, 0.9) for name in known("tags")[:5]],
        "category": one(categories[0], 0.8) if categories else None,
        "collection": one(collections[0], 0.7) if collections else None,
    }
