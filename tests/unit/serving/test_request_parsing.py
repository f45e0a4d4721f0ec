"""Bytes become requests: the same ones in whatever pieces they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.serving.http.parsing import MOST_HEAD_BYTES, MOST_URL_BYTES, Parser
from modelwright.serving.problems import RequestError

LIMIT = 50
GET = b"GET /ping?a=b HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 3\r\n\r\n1,2"
CHUNKED = (
    b"POST /a%20b HTTP/1.1\r\nTransfer-Encoding: chunked\r\nA: 1\r\nA: 2\r\n\r\n2\r\n1,\r\n1;x=y\r\n2\r\n0\r\n\r\n"
)
UPGRADE = b"GET /up HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n\r\n"
UPGRADE_BODY = UPGRADE.replace(b"GET /up", b"POST /upped").replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n1,2")
UPGRADE_CHUNKS = CHUNKED.replace(b"A: 1\r\n", b"Connection: Upgrade\r\nUpgrade: h2c\r\n")
TRAILERS = CHUNKED.replace(b"0\r\n\r\n", b"0\r\nA: 3\r\nContent-Type: text/evil\r\n\r\n")
EXPECT = b"POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n1"
OLD = b"GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nConnection: close\r\n\r\n"
LARGE = b"POST /large HTTP/1.1\r\nContent-Length: 51\r\n\r\n" + b"1" * 51
LARGE_CHUNKS = b"POST /large HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n33\r\n" + b"1" * 51 + b"\r\n0\r\n\r\n"
NONSENSE = b"\x16\x03\x01 hello\r\n\r\n"


def parse(pieces):
    found, continues = [], []
    parser = Parser(LIMIT, found.append, lambda: continues.append(len(found)))
    for piece in pieces:
        parser.feed(piece)
    return found, continues, parser


def told(found):
    return [
        (r.head.method, r.head.path, r.head.headers, r.head.keep_alive, r.body, r.refused and r.refused.status)
        for r in found
    ]


@given(
    st.lists(
        st.sampled_from(
            [
                *(GET, POST, CHUNKED, UPGRADE, UPGRADE_BODY, UPGRADE_CHUNKS, TRAILERS, EXPECT),
                *(OLD, LAST, LARGE, LARGE_CHUNKS, NONSENSE),
            ]
        ),
        max_size=5,
    ),
    st.data(),
)
def test_any_split_of_a_stream_gives_the_same_requests(messages, data):
    stream = b"".join(messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole, split, single = parse([stream]), parse(pieces), parse([bytes([byte]) for byte in stream])
    assert told(whole[0]) == told(split[0]) == told(single[0])
    assert whole[1] == split[1] == single[1]


def test_requests_are_what_was_sent():
    found, continues, parser = parse([GET + POST + CHUNKED + UPGRADE + EXPECT + OLD + LAST + GET])
    assert [(r.head.method, r.head.path, r.body) for r in found] == [
        ("GET", "/ping", b""),
        ("POST", "/invocations", b"1,2"),
        ("POST", "/a b", b"1,2"),
        ("GET", "/up", b""),
        ("POST", "/e", b"1"),
        ("GET", "/old", b""),
        ("GET", "/last", b""),
    ]
    assert found[2].head.headers["a"] == "1, 2"
    assert [r.head.keep_alive for r in found] == [True] * 6 + [False]
    assert (found[5].head.is_http10, continues, parser.ended) == (True, [4], True)


@pytest.mark.parametrize(
    ("stream", "status"),
    [
        (LARGE, 413),
        (LARGE_CHUNKS, 413),
        (b"GET /" + b"a" * MOST_URL_BYTES + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * MOST_HEAD_BYTES + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"A: a\r\n" * (MOST_HEAD_BYTES // 5) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nExpect: more\r\n\r\n", 417),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (NONSENSE, 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET http://[/ HTTP/1.1\r\nA: " + b"a" * MOST_HEAD_BYTES + b"\r\n\r\n", 431),
        (b"GET http://[" + b"a" * MOST_URL_BYTES + b" HTTP/1.1\r\n\r\n", 414),
    ],
)
def test_what_breaks_a_limit_or_the_protocol_is_refused_and_nothing_after_it_is_read(stream, status):
    found, _, parser = parse([GET, stream, GET])
    assert [r.refused and r.refused.status for r in found] == [None, status]
    assert (found[1].refused.close, parser.ended) == (True, True)


def test_a_header_without_end_is_refused_before_it_has_come():
    found, _, _ = parse([b"GET / HTTP/1.1\r\nA: ", *[b"a" * 1024] * 100])
    assert [r.refused.status for r in found] == [431]


def test_a_long_head_within_the_limit_is_taken_in_small_pieces():
    stream = b"GET / HTTP/1.1\r\n" + b"A: aaaaaaaa\r\n" * 2000 + b"\r\n"
    found, _, _ = parse([stream[n : n + 100] for n in range(0, len(stream), 100)])
    assert [r.refused for r in found] == [None]


def test_an_upgrade_that_is_declined_keeps_its_body():
    """Java's own client asks for h2c with each POST; its body taken for another request would be smuggling."""
    found, continues, _ = parse([UPGRADE_BODY + UPGRADE_CHUNKS + POST])
    assert [(r.head.path, r.body, r.refused) for r in found] == [
        ("/upped", b"1,2", None),
        ("/a b", b"1,2", None),
        ("/invocations", b"1,2", None),
    ]
    assert continues == []


def test_a_declined_upgrade_may_have_as_long_a_head_as_any():
    head = UPGRADE_BODY.partition(b"\r\n\r\n")[0]
    long = head + b"\r\nA: " + b"a" * (MOST_HEAD_BYTES - len(head) + 9) + b"\r\n\r\n1,2"
    assert [r.body for r in parse([long])[0]] == [b"1,2"]


@pytest.mark.parametrize("more", [b"Content-Length: 51\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_the_limit_holds_for_an_upgrade_too(more):
    body = b"33\r\n" + b"1" * 51 if b"chunked" in more else b"1" * 51
    found, _, _ = parse([UPGRADE[:-2] + more + b"\r\n" + body])
    assert [r.refused.status for r in found] == [413]


def test_what_follows_a_chunked_body_is_no_header_of_the_request():
    found, _, _ = parse([TRAILERS])
    assert found[0].head.headers == {"transfer-encoding": "chunked", "a": "1, 2"}


def test_many_trailers_are_too_many_headers():
    found, _, _ = parse([CHUNKED.removesuffix(b"\r\n") + b"A: 3\r\n" * MOST_HEAD_BYTES + b"\r\n"])
    assert [r.refused.status for r in found] == [431]


@pytest.mark.parametrize("sent", [b"GET http://[", b"GET http://[/ HTTP/1.1\r\nA"])
def test_who_is_too_slow_with_a_url_that_is_none_is_told_so(sent):
    found, _, parser = parse([sent])
    parser.refuse(RequestError(408, "RequestTimeout", "late"))
    assert [r.refused.status for r in found] == [408]
