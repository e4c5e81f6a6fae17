"""Requests that are made to hurt: what is sent, and the code that it must be answered with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

LIMIT, WRONG = "COMPLEXITY_LIMIT", "BAD_USER_INPUT"


@dataclass(frozen=True, slots=True)
class Nasty:
    """The body of a POST request, and the code of the first error in its answer for somebody who is signed in."""

    body: bytes
    code: str


def _document(query: str, code: str, **more: Any) -> Nasty:
    return Nasty(orjson.dumps({"query": query, **more}), code)


def _raw(query: bytes, code: str) -> Nasty:
    """Return a body whose document is JSON of our own making, for what no encoder would write."""
    return Nasty(b'{"query": "' + query + b'"}', code)


def _spreads(count: int) -> str:
    fragments = " ".join(
        f"fragment F{n} on User {{ ...F{n + 1} spending {{ month }} ...F{n + 1} }}" for n in range(count)
    )
    return f"{{ viewer {{ ...F0 }} }} {fragments} fragment F{count} on User {{ id }}"


def _cycle(count: int) -> str:
    fragments = " ".join(f"fragment F{n} on User {{ ...F{(n + 1) % count} }}" for n in range(count))
    return f"{{ viewer {{ ...F0 }} }} {fragments}"


def _everybody_spreads_everybody(count: int) -> str:
    spread = " ".join(f"...F{n}" for n in range(count))
    fragments = " ".join(f"fragment F{n} on User {{ {spread} }}" for n in range(count))
    return f"{{ viewer {{ ...F0 }} }} {fragments}"


def _everybody_spreads_later(count: int) -> str:
    fragments = " ".join(
        f"fragment F{n} on User {{ {' '.join(f'...F{m}' for m in range(n + 1, count + 1))} }}" for n in range(count)
    )
    return f"{{ viewer {{ ...F0 }} }} {fragments}"


def _deep(levels: int, inner: Any) -> Any:
    value = inner
    for _ in range(levels):
        value = {"value": value} if isinstance(inner, dict) else [value]
    return value


_NODE = "query ($id: ID!) { node(id: $id) { id } }"
_CREATE = "mutation ($input: CreateBookmarkInput!) { createBookmark(input: $input) { bookmark { id } } }"
_PAGE = "query ($n: Int) { bookmarks(first: $n) { totalCount } }"
_MANY_VARIABLES = "query (" + " ".join(f"$v{n}: Int" for n in range(600)) + ") { __typename }"

BODIES: Mapping[str, Nasty] = {
    "2^20 fragments": _document(_spreads(20), LIMIT),
    "2^70 fragments": _document(_spreads(70), LIMIT),
    "fragments in a circle": _document(_cycle(3), WRONG),
    "200 fragments in a circle": _document(_cycle(200), LIMIT),
    "every fragment spreads every fragment": _document(_everybody_spreads_everybody(28), WRONG),
    "fragments that end nowhere": _document(_everybody_spreads_later(40), LIMIT),
    "100,000 braces": _document("{a" * 100_000, LIMIT),
    "9,000 braces": _document("{a" * 9_000, LIMIT),
    "900 braces": _document("{a" * 900, LIMIT),
    "a deep selection": _document("{viewer" * 400 + "{id}" + "}" * 400, LIMIT),
    "100,000 closing braces": _document("}" * 100_000, LIMIT),
    "19,000 closing braces": _document("}" * 19_000, WRONG),
    "10,000 aliases": _document("{" + " ".join(f"a{n}:__typename" for n in range(10_000)) + "}", LIMIT),
    "600 aliases": _document("{" + " ".join(f"a{n}:__typename" for n in range(600)) + "}", LIMIT),
    "10,000 directives": _document("{__typename" + "@aa" * 10_000 + "}", LIMIT),
    "600 directives": _document("{__typename" + "@aa" * 600 + "}", LIMIT),
    "600 different directives": _document("{__typename" + "".join(f"@a{n}" for n in range(600)) + "}", LIMIT),
    "1,700 fields": _document("{" + "__typename " * 1_700 + "}", LIMIT),
    "the same field with 400 arguments": _document(
        "{ viewer { id(" + " ".join(f"a{n}:1" for n in range(400)) + ") } }", LIMIT
    ),
    "one argument 400 times": _document("{ node(" + 'id:"x" ' * 400 + ") { id } }", LIMIT),
    "10,000 operations": _document("{__typename}" * 10_000, LIMIT),
    "300 operations": _document("".join(f"query q{n}{{__typename}}" for n in range(300)), LIMIT),
    "400 anonymous operations": _document("{__typename}" * 400, LIMIT),
    "280 fragments nobody uses": _document(
        "{__typename} " + " ".join(f"fragment F{n} on User {{ id }}" for n in range(280)), LIMIT
    ),
    "280 fragments of one name": _document("{__typename} " + "fragment F on User { id } " * 280, LIMIT),
    "600 variables": _document(_MANY_VARIABLES, LIMIT),
    "450 variables nobody uses": _document(
        "query (" + " ".join(f"$v{n}: Int" for n in range(450)) + ") { __typename }", LIMIT
    ),
    "conflicts of 240 fields": _document(
        "{ viewer { "
        + "".join(f"...F{n} " for n in range(60))
        + "} } "
        + " ".join(f"fragment F{n} on User {{ id: email name: id }}" for n in range(60)),
        LIMIT,
    ),
    "overlapping fields nested": _document(
        "{" + "viewer{" * 10 + "id " + "}" * 10 + "viewer{" * 10 + "email" + "}" * 11, WRONG
    ),
    "a number of 19,000 digits": _document("{ bookmarks(first: " + "9" * 19_000 + ") { totalCount } }", WRONG),
    "a float of 19,000 digits": _document("{ bookmarks(first: 1e" + "9" * 19_000 + ") { totalCount } }", WRONG),
    "an id of 19,000 characters": _document('{ node(id: "' + "x" * 19_000 + '") { id } }', WRONG),
    "a list of 900 literals": _document("{ node(id: [" + "1 " * 900 + "]) { id } }", LIMIT),
    "lists in lists": _document("{ node(id: " + "[" * 900 + "]" * 900 + ") { id } }", LIMIT),
    "objects in objects": _document("{ node(id: " + "{a:" * 450 + "1" + "}" * 450 + ") { id } }", LIMIT),
    "an object with 400 names": _document(
        "mutation { createBookmark(input: {" + " ".join(f"a{n}: 1" for n in range(400)) + "}) { bookmark { id } } }",
        LIMIT,
    ),
    "types in types": _document("query ($v: " + "[" * 900 + "Int" + "]" * 900 + ") { __typename }", LIMIT),
    "19,000 comments": _document("#\n" * 9_990 + "{a}", LIMIT),
    "one comment": _document("{nope} #" + "x" * 19_900, WRONG),
    "19,000 commas": _document("," * 19_900 + "{nope}", WRONG),
    "a block string": _document('{ node(id: """' + '\\n  "' * 3_900 + '""") { id } }', WRONG),
    "a block string of lines": _document('{ node(id: """' + "\n   " * 4_900 + '""") { id } }', WRONG),
    "a block string that never ends": _document('{ node(id: """' + '""\n' * 6_600, WRONG),
    "a string that never ends": _document('{ node(id: "' + "x" * 19_000, WRONG),
    "escapes": _document('{ node(id: "' + "\\u0041" * 3_000 + '") { id } }', WRONG),
    "an escape beyond Unicode": _document('{ node(id: "\\u{110000}") { id } }', WRONG),
    "an escaped lone surrogate": _document('{ node(id: "\\uD800") { id } }', WRONG),
    "an escape with 19,000 digits": _document('{ node(id: "\\u{' + "0" * 19_000 + '41}") { id } }', WRONG),
    "a byte order mark inside": _document("{ no\ufeffpe }", WRONG),
    "NUL": _document("{ nope\x00 }", WRONG),
    "NUL in a string": _document('{ node(id: "\x00") { id } }', WRONG),
    "right-to-left marks": _document("{ \u202enope }", WRONG),
    "bytes that are no UTF-8": _raw(b"{ \xff\xfe }", WRONG),
    "a lone surrogate in JSON": _raw(b"{ \\ud800 }", WRONG),
    "an overlong NUL": _raw(b"{ \xc0\x80 }", WRONG),
    "deep variables": Nasty(
        b'{"query": "{__typename}", "variables": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", WRONG
    ),
    "deep objects in variables": Nasty(
        b'{"query": "{__typename}", "variables": {"a": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}}", WRONG
    ),
    "variables 200 deep": _document(_NODE, WRONG, variables={"id": _deep(200, 1)}),
    "an id of 900,000 characters": _document(_NODE, WRONG, variables={"id": "x" * 900_000}),
    "an id that is a list": _document(_NODE, WRONG, variables={"id": [1] * 100_000}),
    "an input with 40,000 names": _document(_CREATE, WRONG, variables={"input": {f"a{n}": n for n in range(40_000)}}),
    "an input that is a list": _document(_CREATE, WRONG, variables={"input": [{"url": 1}] * 30_000}),
    "a list of 100,000 wrong ids": _document(
        "mutation ($ids: [ID!]!) { deleteBookmarks(input: {ids: $ids}) { userErrors { code } } }",
        WRONG,
        variables={"ids": [{}] * 100_000},
    ),
    "a page of 10^300": Nasty(
        orjson.dumps({"query": _PAGE})[:-1] + b', "variables": {"n": 1' + b"0" * 300 + b"}}", WRONG
    ),
    "a page of a million digits": Nasty(
        orjson.dumps({"query": _PAGE})[:-1] + b', "variables": {"n": ' + b"9" * 900_000 + b"}}", WRONG
    ),
    "a float beyond floats": Nasty(orjson.dumps({"query": _PAGE})[:-1] + b', "variables": {"n": 1e999}}', WRONG),
    "NaN": Nasty(orjson.dumps({"query": _PAGE})[:-1] + b', "variables": {"n": NaN}}', WRONG),
    "a batch of 10,000": Nasty(b"[" + b",".join([b'{"query":"{__typename}"}'] * 10_000) + b"]", WRONG),
    "an empty batch": Nasty(b"[]", WRONG),
    "no JSON": Nasty(b"\x00" * 900_000, WRONG),
    "a name of 900,000 characters": _document("{__typename}", WRONG, operationName="x" * 900_000),
    "extensions of 60,000 names": _document("{nope}", WRONG, extensions={f"a{n}": n for n in range(60_000)}),
    "circular introspection": _document("{__schema{types{" + "fields{type{" * 8 + "name" + "}}" * 8 + "}}}", WRONG),
    "introspection through fragments and aliases": _document(
        "{ ...F } fragment F on Query "
        '{ a: __type(name: "User") { fields { type { fields { type { fields { name } } } } } } }',
        WRONG,
    ),
    "misspelt fields": _document("{" + " ".join("bookmark" + "s" * n for n in range(2, 10)) + "}", WRONG),
}
"""Every one of them is refused, with few errors, to anybody; benchmarks measure how soon."""
