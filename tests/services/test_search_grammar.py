"""The query language: what is read, what is refused and where, and that printing is stable."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import BadInput
from services.search.parser import parse
from services.search.syntax import (
    MAX_QUERY_CHARS,
    All,
    Any,
    Fact,
    Flag,
    Is,
    Node,
    Not,
    Span,
    Stated,
    Term,
    Where,
    explained,
    printed,
)

RUST, GO = Term("rust"), Term("go")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("rust", RUST),
        ("  rust\tgo ", All((RUST, GO))),
        ("rust AND go", All((RUST, GO))),
        ("rust OR go", Any((RUST, GO))),
        ("rust or go", All((RUST, Term("or"), GO))),
        ("rust go OR is:unread", Any((All((RUST, GO)), Is(Flag.UNREAD)))),
        ("rust (go OR is:unread)", All((RUST, Any((GO, Is(Flag.UNREAD)))))),
        ("(rust (go)) is:tagged", All((RUST, GO, Is(Flag.TAGGED)))),
        ("-rust", Not(RUST)),
        ("NOT rust go", All((Not(RUST), GO))),
        ("NOT (rust OR go)", Not(Any((RUST, GO)))),
        ("-(rust go)", Not(All((RUST, GO)))),
        ("NOT NOT rust", RUST),
        ("--rust", RUST),
        ("well-known", Term("well-known")),
        ("Title - Site | More", All((Term("Title"), Term("Site"), Term("More")))),
        ("- OR rust", RUST),
        ('"memory safety"', Term("memory safety", quoted=True)),
        ("“memory safety”", Term("memory safety", quoted=True)),
        (r'"a \"b\" \\c"', Term(r'a "b" \c', quoted=True)),
        ('rust"go"', All((RUST, Term("go", quoted=True)))),
        ("rus*", Term("rus", prefix=True)),
        ("C++", Term("C++")),
        ("http://a.example/b", Term("http://a.example/b")),
        ("12:30", Term("12:30")),
        ("title:rust", Term("rust", Where.TITLE)),
        ('TITLE:"rust book"', Term("rust book", Where.TITLE, quoted=True)),
        ("url:docs.rs/tok*", Term("docs.rs/tok", Where.URL, prefix=True)),
        ("domain:docs.rs", Term("docs.rs", Where.DOMAIN)),
        ("#dev/rust", Term("dev/rust", Where.TAG)),
        ("tag:dev", Term("dev", Where.TAG)),
        ('#"to read"', Term("to read", Where.TAG, quoted=True)),
        ("-#dev", Not(Term("dev", Where.TAG))),
        ("# rust", RUST),
        ("is:Favorite", Is(Flag.FAVORITE)),
        ("status:404 status:5XX", All((Stated(Fact.STATUS, "404"), Stated(Fact.STATUS, "5xx")))),
        ("status:soft-404", Stated(Fact.STATUS, "SOFT_404")),
        ("-verdict:Dead", Not(Stated(Fact.VERDICT, "dead"))),
        ('checked:<7D OR checked:"never"', Any((Stated(Fact.CHECKED, "<7d"), Stated(Fact.CHECKED, "never")))),
        ("added:>=2026-01-31", Stated(Fact.ADDED, ">=2026-01-31")),
    ],
)
def test_a_query_is_read(text: str, tree: Node) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "expected something to look for."),
        ("   ", 0, "expected something to look for."),
        ("- | …", 0, "expected at least one letter or digit."),
        ("rust OR", 7, "expected a word, a phrase or a field, found the end."),
        ("OR rust", 0, 'found `OR`. To look for the word itself, write "OR" in quotes.'),
        ("rust AND AND go", 9, "found `AND`."),
        ("rust NOT", 8, "found the end."),
        ("()", 1, "found `)`."),
        ("rust (go", 5, "this `(` is never closed. Add `)` where the group ends."),
        ("rust) go", 4, "this `)` closes nothing."),
        ('say "hello', 4, "this quotation mark is never closed."),
        ("rust *", 5, "expected letters in front of `*`."),
        ("a title: b", 8, "expected a value right behind `title:`. Write it without a space, like `title:example`."),
        ("is:faverite", 3, "Did you mean `is:favorite`?"),
        (
            "is:xyz",
            3,
            "expected one of favorite, archived, unread, tagged, untagged, dead, broken, duplicate behind `is:`.",
        ),
        ("a lang:en", 2, '`lang:` cannot be searched yet. Put it in quotes to look for the text: "lang:en".'),
        ("a status: 404", 9, "expected a value right behind `status:`. Write it without a space, like `status:404`."),
        ("status:40", 7, "expected a status such as 404, 5xx or NOT_FOUND behind `status:`."),
        ("status:not_fund", 7, "Did you mean `status:NOT_FOUND`?"),
        ("a verdict:daed", 10, "Did you mean `verdict:dead`?"),
        ("verdict:x", 8, "expected one of unknown, alive, suspect, dead, inconclusive behind `verdict:`."),
        ("checked:soon", 8, "expected a day or an age behind `checked:`, like `checked:>2026-01-31` or `checked:<7d`"),
        ("added:never", 6, "expected a day or an age behind `added:`"),
        ("checked:2026-02-30", 8, "there is no such day. Expected a day or an age"),
        ("checked:9999-12-31", 8, "expected a day or an age"),
        ("added:<9999y", 6, "an age is at most 100 years."),
        ("title:...", 0, "expected at least one letter or digit."),
        ('a #"/"', 2, "this cannot be a tag. A tag needs a name."),
        ("domain:a|b", 0, "this cannot be a domain."),
        ("a\0b", 1, "a NUL character"),
        ("a\ud800", 1, "half of a surrogate pair"),
        ("x" * 1_001, 1_000, "a query has at most 1,000 characters; this one has 1,001."),
        ("a " + "x" * 501, 2, "a word has at most 500 characters."),
        ("x " * 51, 100, "a query has at most 50 terms."),
        ("(" * 11 + "x" + ")" * 11, 10, "groups are nested at most 10 deep."),
        ("-" * 11 + "x", 10, "groups are nested at most 10 deep."),
        ("(" * 500 + ")" * 500, 10, "groups are nested at most 10 deep."),
    ],
)
def test_a_fault_is_told_with_its_position(text: str, position: int, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(text)
    assert message in refused.value.message
    assert refused.value.message.startswith(f"At character {position + 1} of the query: ")
    assert refused.value.position == position
    assert refused.value.field == ("query",)


def test_the_bounds_themselves_are_allowed() -> None:
    assert parse("x" * 500 + " " + "y" * 499) == All((Term("x" * 500), Term("y" * 499)))
    assert parse("x " * 50) == All((Term("x"),) * 50)
    assert parse("(" * 10 + "x" + ")" * 10) == Term("x")


def test_nodes_know_where_they_stand() -> None:
    node = parse("a -(b OR title:c*)")
    assert isinstance(node, All)
    assert node.span == Span(0, 18)
    negation = node.parts[1]
    assert isinstance(negation, Not)
    assert negation.span == Span(2, 18)
    assert isinstance(negation.part, Any)
    assert [part.span for part in negation.part.parts] == [Span(4, 5), Span(9, 17)]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a AND (b OR NOT c)", "a (b OR -c)"),
        ("(a b) OR (c AND NOT (d e))", "a b OR c -(d e)"),
        ("tag:x TITLE:“y z”", '#x title:"y z"'),
        ("ab** IS:UNREAD", "ab* is:unread"),
        ("Status:not-found VERDICT:dead CHECKED:>30D", "status:NOT_FOUND verdict:dead checked:>30d"),
    ],
)
def test_a_tree_is_printed_in_one_way(text: str, canonical: str) -> None:
    assert printed(parse(text)) == canonical


def test_a_query_is_explained_in_words() -> None:
    node = parse('rust* -("new book" #dev) (domain:docs.rs OR is:unread OR url:b)')
    assert explained(node) == (
        "beginning with “rust” and not (the phrase “new book” and the tag “dev” or one below it)"
        " and (the domain “docs.rs” or unread or “b” in the address)"
    )


fragments = st.sampled_from(
    [
        *(
            "(",
            ")",
            '"',
            "“",
            "”",
            "-",
            "*",
            "#",
            " ",
            "\\",
            "OR",
            "AND",
            "NOT",
            "is:",
            "unread",
            "title:",
            "tag:",
            "a",
        ),
        *("status:", "404", "checked:", "<7d", "verdict:", "dead", "added:", "2026-01-31", ">", "never"),
        *("url:", "domain:", "b/c", "d.example", "é", "\u3000", "日本", "\0", "\ud800", "in:", ":", "|", "\n"),
    ]
)
texts = st.one_of(
    st.lists(fragments, max_size=40).map("".join),
    st.lists(fragments, max_size=40).map(" ".join),
    st.text(st.characters(codec=None), max_size=60),
    st.text(max_size=MAX_QUERY_CHARS + 10),
)


def read(text: str) -> Node | BadInput:
    try:
        return parse(text)
    except BadInput as refused:
        return refused


@given(texts)
@settings(max_examples=600, deadline=None)
def test_any_text_is_read_or_refused_and_what_is_read_prints_stably(text: str) -> None:
    node = read(text)
    if isinstance(node, BadInput):
        assert node.position is not None
        assert 0 <= node.position <= len(text)
        return
    again = printed(node)
    if len(again) <= MAX_QUERY_CHARS:
        assert parse(again) == node
        assert printed(parse(again)) == again
    assert explained(node)
