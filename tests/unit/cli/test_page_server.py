"""The page's server: nobody but the page itself gets an answer."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest
from trial_pages import FakeTrial

from modelwright.cli.page.document import document, policy
from modelwright.cli.page.server import PageServer

if TYPE_CHECKING:
    from collections.abc import Iterator

QUESTION = json.dumps({"rows": [{"a": 1}]})


@pytest.fixture(scope="module")
def trial() -> FakeTrial:
    return FakeTrial()


@pytest.fixture(scope="module")
def page(trial: FakeTrial) -> Iterator[PageServer]:
    made = PageServer(trial.describe, trial.ask)
    made.start()
    yield made
    made.stop()


def asked(page: PageServer, method: str, path: str, body: str | None = None, **headers: str) -> Any:
    connection = http.client.HTTPConnection(page.origin.removeprefix("http://"), timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    answer = connection.getresponse()
    answer.text = answer.read().decode()  # type: ignore[attr-defined]
    connection.close()
    return answer


def own(page: PageServer) -> dict[str, str]:
    return {"Origin": page.origin, "Content_Type": "application/json"}


def test_the_page_is_there_under_its_token_alone(page: PageServer) -> None:
    assert asked(page, "GET", f"/{page.token}/").status == 200
    other = page.token[:-1] + ("y" if page.token.endswith("x") else "x")
    for path in ("/", f"/{page.token}", f"/{page.token}/x", f"/{other}/", "/favicon.ico"):
        assert asked(page, "GET", path).status == 404
    assert len(page.token) >= 32


def test_the_page_itself_may_ask(page: PageServer, trial: FakeTrial) -> None:
    answer = asked(page, "POST", f"/{page.token}/predict", QUESTION, **own(page))
    assert (answer.status, json.loads(answer.text)["status"]) == (200, 200)
    assert trial.asked.pop() == [{"a": 1}]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Host": "example.org"},
        {"Host": "localhost"},
    ],
)
def test_another_site_may_not(page: PageServer, trial: FakeTrial, headers: dict[str, str]) -> None:
    answer = asked(page, "POST", f"/{page.token}/predict", QUESTION, **(own(page) | headers))
    assert answer.status in {403, 404}
    assert trial.asked == []


def test_another_name_of_this_machine_is_refused(page: PageServer) -> None:
    """A site whose name is made to resolve to 127.0.0.1 reads nothing."""
    assert asked(page, "GET", f"/{page.token}/", Host="attacker.example").status == 404


@pytest.mark.parametrize("body", ["", "[]", "{", '{"rows": 1}', "[" * 100_000])
def test_a_question_of_another_form_is_refused(page: PageServer, trial: FakeTrial, body: str) -> None:
    assert asked(page, "POST", f"/{page.token}/predict", body, **own(page)).status == 400
    assert trial.asked == []


def test_a_question_that_is_too_long_is_refused(page: PageServer) -> None:
    headers = own(page) | {"Content_Length": "999999999"}
    assert asked(page, "POST", f"/{page.token}/predict", "", **headers).status == 413


def test_the_policy_lets_in_what_the_page_holds_and_nothing_else(page: PageServer) -> None:
    answer = asked(page, "GET", f"/{page.token}/")
    assert answer.headers["Content-Security-Policy"] == policy()
    assert "unsafe" not in policy()
    assert policy().startswith("default-src 'none'; script-src 'sha256-")
    for name in ("Referrer-Policy", "X-Content-Type-Options", "Cross-Origin-Resource-Policy"):
        assert answer.headers[name]


def test_what_the_page_is_about_ends_no_script() -> None:
    made = document({"title": "<b>", "note": "</script><script>alert(1)</script><!--"}).decode()
    assert "<title>&lt;b&gt;</title>" in made
    assert made.count("</script>") == 2
    assert "\\u003c/script>" in made
