import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.serving.http import media
from modelwright.serving.problems import RequestError


@pytest.mark.parametrize(
    ("header", "name", "charset"),
    [
        ("text/csv", "text/csv", "utf-8"),
        ("Text/CSV; charset=UTF-8", "text/csv", "UTF-8"),
        ('text/csv;header=present ; charset="latin-1"', "text/csv", "latin-1"),
        ('text/csv; note="a;b"; charset=ascii', "text/csv", "ascii"),
        ("application/vnd.api+json", "application/vnd.api+json", "utf-8"),
    ],
)
def test_a_content_type_is_read_with_its_parameters(header, name, charset):
    found = media.parse_media_type(header)
    assert (found.name, found.charset) == (name, charset)


@pytest.mark.parametrize("header", ["csv", "text/", "/csv", "text /csv", "", ";charset=utf-8"])
def test_what_is_no_media_type_is_415(header):
    with pytest.raises(RequestError) as caught:
        media.parse_media_type(header)
    assert caught.value.status == 415
    assert repr(header) in caught.value.message


@pytest.mark.parametrize(
    ("body", "header", "text"),
    [
        (b"\xef\xbb\xbf1,2", "text/csv", "1,2"),
        ("ä".encode("latin-1"), "text/csv; charset=ISO-8859-1", "ä"),
        ("ä".encode("utf-16"), "text/csv; charset=utf-16", "ä"),
        (b"1\r\n2\r\n", "text/csv", "1\r\n2\r\n"),
    ],
)
def test_a_body_is_decoded_by_its_charset_without_a_byte_order_mark(body, header, text):
    assert media.decode(body, media.parse_media_type(header)) == text


def test_a_body_that_is_not_its_charset_is_400_and_an_unknown_charset_is_415():
    with pytest.raises(RequestError) as caught:
        media.decode(b"\xff", media.parse_media_type("text/csv"))
    assert caught.value.status == 400
    with pytest.raises(RequestError) as caught:
        media.decode(b"1", media.parse_media_type("text/csv; charset=klingon"))
    assert (caught.value.status, "'klingon'" in caught.value.message) == (415, True)


@pytest.mark.parametrize(
    "charset",
    [
        "hex",
        "zip",
        "rot13",
        "base64",
        "undefined",
        "punycode",
        "idna",
        "unicode_escape",
        "Raw-Unicode-Escape",
        "\xe9",
        "",
    ],
)
def test_a_codec_that_is_no_charset_is_refused(charset):
    with pytest.raises(RequestError, match="is not known; use utf-8"):
        media.decode(b"00", media.parse_media_type(f"text/csv; charset={charset}"))


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("application/xml, text/csv", "text/csv"),
        ("text/csv;q=0.1, application/json;q=0.9", "application/json"),
        ("text/*", "text/csv"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/x-npy; q=0.5, TEXT/CSV; Charset=utf-8; q=0.7", "text/csv"),
        (", ,text/csv", "text/csv"),
    ],
)
def test_the_best_supported_type_of_an_accept_is_taken(accept, answer):
    supported = ["application/json", "text/csv", "application/x-npy"]
    assert media.candidates(accept, supported, "application/json")[0] == answer


@pytest.mark.parametrize("accept", ["application/xml", "text/html, image/*", "application/json;q=0", "audio/*"])
def test_an_accept_without_a_supported_type_is_406(accept):
    with pytest.raises(RequestError) as caught:
        media.candidates(accept, ["application/json"], "application/json")
    assert caught.value.status == 406
    assert "application/json" in caught.value.message


def test_the_default_is_what_everything_means_when_the_model_can_do_it():
    assert media.candidates("*/*", ["application/json", "text/csv"], "text/csv")[0] == "text/csv"
    assert media.candidates("*/*", ["application/json"], "text/csv")[0] == "application/json"


def test_a_script_that_says_nothing_of_its_types_is_asked_for_each_in_turn():
    found = media.candidates("application/xml, text/csv;q=0.5, */*;q=0.1", None, "application/json")
    assert found == ["application/xml", "text/csv", "application/json"]


@pytest.mark.parametrize("quality", ["2", "-1", "x", "nan"])
def test_a_q_that_is_no_quality_is_400(quality):
    with pytest.raises(RequestError) as caught:
        media.ranked(f"text/csv;q={quality}")
    assert caught.value.status == 400


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=60))
def test_no_header_does_more_than_be_refused(header):
    for read in (media.parse_media_type, lambda text: media.candidates(text, None, media.JSON)):
        with contextlib.suppress(RequestError):
            read(header)
