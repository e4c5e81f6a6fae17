"""The 23 categories that a library begins with, and what tells a page of one from a page of another.

A category is told by words of title, description, keywords and address, and by the sites that are all about it. This is
what sorts the first bookmarks of an empty library, without a model and without a network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import Final

from db.search.words import words_of
from kit.text import fold
from services.categorization.normal import normal

_TITLE, _KEYWORDS, _ADDRESS, _TEXT, _SITE = 2.0, 2.0, 1.5, 1.0, 4.0
_MOST_OF_ONE_WORD = 3.0
"""One word says only so much, however often it stands there."""

_SLOPE = 0.35
_LEAST = 1.5
_READ_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class Prototype:
    """A category as data: its name, its colour, the words and the sites that speak for it."""

    name: str
    color: str
    words: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The folded name, unique in the taxonomy."""
        return fold(self.name)


@dataclass(frozen=True, slots=True)
class PageWords:
    """What is read of a bookmark to tell its category. `domain` is its host."""

    domain: str
    title: str = ""
    address: str = ""
    keywords: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A category, how sure it is (0 to 1), and the words and sites that told it, at most three."""

    prototype: Prototype
    confidence: float
    by: tuple[str, ...]


def _of(name: str, color: str, words: str, sites: str = "") -> Prototype:
    return Prototype(name, color, tuple(words.split()), tuple(sites.split()))


TAXONOMY: Final = (
    _of(
        "Technology",
        "#3b82f6",
        "technology tech hardware gadget smartphone android iphone laptop processor chip semiconductor electronics "
        "device computer internet robot battery gpu cpu",
        "theverge.com arstechnica.com wired.com techcrunch.com engadget.com anandtech.com hackaday.com",
    ),
    _of(
        "Development",
        "#10b981",
        "programming code coding developer development software python javascript typescript java rust golang kotlin "
        "swift compiler library framework api git github graphql sql database postgresql react vue django refactoring "
        "algorithm debugging testing repository regex css html backend frontend sdk syntax function cpp linux",
        "github.com gitlab.com stackoverflow.com bitbucket.org python.org rust-lang.org developer.mozilla.org "
        "docs.rs postgresql.org dev.to sourcehut.org",
    ),
    _of(
        "AI/ML",
        "#8b5cf6",
        "ai ml llm gpt transformer neural network embedding inference prompt chatbot tensorflow pytorch dataset "
        "classifier reinforcement diffusion finetuning agent gemini vision nlp learning model machine deep",
        "huggingface.co openai.com deepmind.com kaggle.com paperswithcode.com",
    ),
    _of(
        "Cloud/DevOps",
        "#0ea5e9",
        "cloud devops kubernetes docker container terraform ansible aws azure gcp deployment pipeline helm serverless "
        "observability monitoring prometheus grafana infrastructure cluster sre orchestration nginx kubectl",
        "kubernetes.io docker.com terraform.io aws.amazon.com cloud.google.com azure.microsoft.com grafana.com",
    ),
    _of(
        "Security",
        "#ef4444",
        "security vulnerability exploit malware ransomware encryption cryptography cve phishing firewall pentest "
        "authentication password privacy breach hacking tls certificate owasp forensic threat xss",
        "owasp.org krebsonsecurity.com schneier.com letsencrypt.org cve.org haveibeenpwned.com",
    ),
    _of(
        "Business",
        "#f59e0b",
        "business startup company management marketing strategy entrepreneur leadership sales customer product founder "
        "enterprise revenue growth productivity hiring negotiation career",
        "hbr.org forbes.com inc.com linkedin.com ycombinator.com businessinsider.com",
    ),
    _of(
        "Finance",
        "#22c55e",
        "finance investing investment stock bank banking money tax budget mortgage insurance trading crypto bitcoin "
        "economy inflation pension dividend fund loan credit etf",
        "bloomberg.com ft.com investopedia.com morningstar.com coinbase.com",
    ),
    _of(
        "Education",
        "#6366f1",
        "education course university school student teacher teaching lecture lesson curriculum tutorial homework mooc "
        "classroom exam textbook syllabus degree college pedagogy",
        "coursera.org edx.org khanacademy.org udemy.com mit.edu duolingo.com",
    ),
    _of(
        "Science",
        "#14b8a6",
        "science physics chemistry biology astronomy mathematics research experiment quantum galaxy telescope genome "
        "evolution climate particle theorem planet laboratory geology neuroscience molecule species",
        "nature.com science.org arxiv.org nasa.gov sciencedaily.com newscientist.com quantamagazine.org cern.ch",
    ),
    _of(
        "Health",
        "#f43f5e",
        "health medicine medical doctor hospital disease symptom nutrition fitness workout sleep vaccine mental "
        "diet exercise yoga patient clinic cancer pharmacy",
        "who.int nih.gov mayoclinic.org nhs.uk webmd.com",
    ),
    _of(
        "News",
        "#64748b",
        "news breaking headline newspaper journalism reporter politics election daily editorial correspondent",
        "bbc.com bbc.co.uk nytimes.com theguardian.com reuters.com apnews.com cnn.com washingtonpost.com lemonde.fr "
        "spiegel.de aljazeera.com",
    ),
    _of(
        "Entertainment",
        "#ec4899",
        "movie film cinema series music song album concert game gaming video anime celebrity streaming comedy "
        "podcast trailer actor band playlist",
        "imdb.com netflix.com spotify.com youtube.com twitch.tv rottentomatoes.com steampowered.com bandcamp.com",
    ),
    _of(
        "Social Media",
        "#06b6d4",
        "social tweet thread profile follower forum community hashtag timeline meme influencer feed",
        "twitter.com x.com facebook.com instagram.com reddit.com mastodon.social tiktok.com bsky.app pinterest.com "
        "threads.net",
    ),
    _of(
        "Shopping",
        "#f97316",
        "shop shopping buy price cart discount sale coupon order checkout marketplace shipping review product store",
        "amazon.com ebay.com etsy.com aliexpress.com ikea.com walmart.com",
    ),
    _of(
        "Travel",
        "#0891b2",
        "travel trip hotel flight airline airport destination itinerary vacation holiday tourism hostel passport visa "
        "backpacking beach guidebook train sightseeing",
        "booking.com airbnb.com tripadvisor.com lonelyplanet.com skyscanner.net wikivoyage.org",
    ),
    _of(
        "Food",
        "#d97706",
        "recipe food cooking baking bread restaurant kitchen ingredient dinner soup cake vegetarian vegan wine coffee "
        "cuisine chef sourdough pasta dessert sauce",
        "seriouseats.com allrecipes.com bbcgoodfood.com epicurious.com bonappetit.com",
    ),
    _of(
        "Sports",
        "#84cc16",
        "sport football soccer basketball tennis rugby olympics league championship team player match tournament "
        "cycling marathon running coach stadium goal hockey baseball",
        "espn.com nba.com fifa.com uefa.com skysports.com strava.com",
    ),
    _of(
        "Arts",
        "#a855f7",
        "art artist museum painting drawing design photography sculpture gallery illustration poetry literature novel "
        "typography architecture theatre exhibition writing craft font",
        "behance.net dribbble.com deviantart.com moma.org artsy.net flickr.com",
    ),
    _of(
        "Reference",
        "#78716c",
        "reference encyclopedia dictionary wiki documentation manual glossary specification standard handbook archive "
        "cheatsheet atlas thesaurus almanac catalogue rfc",
        "wikipedia.org wiktionary.org britannica.com merriam-webster.com archive.org rfc-editor.org w3.org ietf.org",
    ),
    _of(
        "Government",
        "#475569",
        "government law legislation parliament ministry regulation court senate congress policy municipality citizen "
        "treaty constitution federal immigration passport statute",
        "europa.eu gov.uk usa.gov whitehouse.gov un.org bund.de",
    ),
    _of(
        "Tools/Utilities",
        "#eab308",
        "tool utility converter calculator generator editor extension plugin app download online formatter validator "
        "timer planner calendar template translator compressor browser",
        "regex101.com excalidraw.com wolframalpha.com deepl.com canva.com",
    ),
    _of(
        "Personal",
        "#fb7185",
        "personal blog diary family home garden gardening parenting hobby wedding journal portfolio resume pet memory",
        "wordpress.com blogspot.com substack.com tumblr.com",
    ),
    _of("Other", "#9ca3af", ""),
)


def tell(page: PageWords) -> Told | None:
    """Return the category that words and site of a page speak for, or None when nothing speaks."""
    points = {prototype: _points(prototype, page) for prototype in TAXONOMY}
    ranked = sorted(TAXONOMY, key=lambda one: -sum(points[one].values()))
    first, second = ranked[0], ranked[1]
    most, next_most = sum(points[first].values()), sum(points[second].values())
    if most < _LEAST or most == next_most:
        return None
    confidence = (1 - exp(-_SLOPE * most)) * most / (most + next_most)
    by = sorted(points[first], key=lambda word: (-points[first][word], word))[:3]
    return Told(first, round(confidence, 4), tuple(by))


def named(name: str) -> Prototype | None:
    """Return the category that a name means, in any case."""
    wanted = fold(name)
    return next((one for one in TAXONOMY if one.key == wanted), None)


def _points(prototype: Prototype, page: PageWords) -> dict[str, float]:
    """Return what each word and site says for a category."""
    found: dict[str, float] = {}
    for site in prototype.sites:
        if page.domain == site or page.domain.endswith(f".{site}"):
            found[site] = _SITE
    for part, weight in _weighted(page).items():
        speaking = _FORMS[prototype.key]
        for word in words_of(fold(part)):
            form = _form(word)
            if form in speaking:
                shown = speaking[form]
                found[shown] = min(_MOST_OF_ONE_WORD, found.get(shown, 0.0) + weight)
    return found


def _weighted(page: PageWords) -> dict[str, float]:
    parts = ((page.text, _TEXT), (page.address, _ADDRESS), (page.keywords, _KEYWORDS), (page.title, _TITLE))
    return {text[:_READ_CHARS]: weight for text, weight in parts if text}


def _form(word: str) -> str:
    """Return the normal form of a word; of one too long for a tag, the word."""
    return normal(word) if len(word) <= _LONGEST_WORD and word.strip() else word


_LONGEST_WORD: Final = 50
_FORMS: Final[Mapping[str, Mapping[str, str]]] = {
    one.key: {_form(fold(word)): word for word in one.words} for one in TAXONOMY
}
