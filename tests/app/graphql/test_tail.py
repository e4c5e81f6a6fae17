"""The latest events of a broadcast: complete behind a number, and bounded."""

from app.graphql.tail import MAX_BYTES, MAX_EVENTS, Tail


def test_what_is_complete_is_known_from_the_beginning() -> None:
    tail = Tail(None)
    assert not tail.reaches(10**9)
    tail.add(7, b"seven")
    assert (tail.reaches(5), tail.reaches(6), tail.reaches(7)) == (False, True, True)
    tail.begin(3)  # known already, and not better
    assert not tail.reaches(5)
    assert (list(tail.behind(6)), list(tail.behind(7))) == ([b"seven"], [])
    quiet = Tail(None)
    quiet.begin(4)
    quiet.add(9, b"nine")
    assert (quiet.reaches(3), quiet.reaches(4), list(quiet.behind(4))) == (False, True, [b"nine"])


def test_it_forgets_the_oldest_and_says_so() -> None:
    tail = Tail(0)
    for seq in range(1, MAX_EVENTS + 11):
        tail.add(seq, str(seq).encode())
    assert (tail.reaches(9), tail.reaches(10)) == (False, True)
    assert list(tail.behind(10)) == [str(seq).encode() for seq in range(11, MAX_EVENTS + 11)]


def test_it_holds_no_more_bytes_than_allowed() -> None:
    tail = Tail(0)
    tail.add(1, b"small")
    tail.add(2, b"x" * MAX_BYTES)
    assert (tail.reaches(0), tail.reaches(1)) == (False, True)
    tail.add(3, b"x" * (MAX_BYTES + 1))  # too much for it alone
    assert (tail.reaches(2), tail.reaches(3), list(tail.behind(3))) == (False, True, [])
