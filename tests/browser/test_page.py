"""The page of `modelwright open` in a real headless Chromium: what a person sees, with the mouse and by keys."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest
from trial_pages import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from browser import Browser
    from trial_pages import FakeTrial

    from modelwright.cli.page.server import PageServer


@pytest.fixture
def opened(browser: Browser, page: PageServer) -> Browser:
    browser.events.clear()
    browser.open(page.url)
    return browser


def test_a_person_asks_and_sees_the_answer(opened: Browser, trial: FakeTrial) -> None:
    opened.click("#submit")
    assert opened.see("#answer", "answered in 7 ms").split("\n")[0] == "male"
    assert "87.5 %" in opened.text(".bars li:first-child")
    widths = opened.evaluate("[...document.querySelectorAll('.fill')].map(e => e.style.width)")
    assert widths == ["87.5%", "12.5%"]
    row = {"species": "Adelie", "island": "Biscoe", "bill_length_mm": 46, "year": 2008, "tagged": True}
    assert trial.asked == [[row | {"bill_length_mm": trial.asked[0][0]["bill_length_mm"]}]]


def test_the_form_is_made_from_the_schema(opened: Browser) -> None:
    names = opened.evaluate("[...document.querySelectorAll('[data-column]')].map(e => e.name)")
    assert names == [column["name"] for column in SCHEMA["columns"]]
    options = opened.evaluate("[...document.querySelector('[name=island]').options].map(o => o.value)")
    assert options == ["Biscoe", "Dream"], "an unseen text is not taken: there is nothing to write it into"
    assert opened.value("[name=species]", "tagName") == "INPUT"
    assert opened.evaluate("[...document.querySelector('datalist').options].map(o => o.value)") == ["Adelie", "Gentoo"]
    assert opened.evaluate("[...document.querySelector('[name=tagged]').options].map(o => o.value)") == [
        *("", "true", "false")
    ]
    assert "training saw 32.1 to 59.6; may be left empty" in opened.text("#fields")


def test_a_missing_value_is_left_out_and_numbers_are_numbers(opened: Browser, trial: FakeTrial) -> None:
    opened.type("[name=bill_length_mm]", "")
    opened.type("[name=species]", "")
    opened.type("[name=year]", "2009")
    opened.click("#submit")
    opened.see("#answer", "answered in")
    assert trial.asked[0][0]["bill_length_mm"] is None
    assert trial.asked[0][0]["species"] is None
    assert trial.asked[0][0]["year"] == 2009


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("39.5", 39.5), (" -1e3 ", -1000), (".5", 0.5), ("1,000", "1,000"), ("0x10", "0x10"), ("Infinity", "Infinity")],
)
def test_only_plain_numbers_are_sent_as_numbers(
    opened: Browser, trial: FakeTrial, typed: str, sent: float | str
) -> None:
    opened.type("[name=bill_length_mm]", typed)
    opened.click("#submit")
    opened.see("#answer", "answered in")
    assert trial.asked[0][0]["bill_length_mm"] == sent


def test_what_is_wrong_stands_beside_its_field(opened: Browser, trial: FakeTrial) -> None:
    problem = {"row": 1, "column": "bill_length_mm", "message": 'row 1: bill_length_mm is "x"; it must be a number'}
    trial.answers = [{"status": 400, "document": {"message": "no", "problems": [problem]}, "milliseconds": 1}]
    opened.type("[name=bill_length_mm]", "x")
    opened.click("#submit")
    opened.see("#problem", "1 field cannot be taken")
    wrong = opened.value("[name=bill_length_mm]", "ariaInvalid")
    described = opened.evaluate("document.querySelector('[name=bill_length_mm]').getAttribute('aria-describedby')")
    assert wrong == "true"
    assert opened.text(f"#{described.split()[-1]}") == 'bill_length_mm is "x"; it must be a number'
    assert opened.evaluate("document.activeElement.name") == "bill_length_mm"
    assert trial.asked[0][0]["bill_length_mm"] == "x", "the model's own words, not the browser's"
    opened.type("[name=bill_length_mm]", "40")
    opened.click("#submit")
    opened.see("#answer", "answered in")
    assert opened.value("[name=bill_length_mm]", "ariaInvalid") is None


def test_a_refusal_without_a_field_is_said_as_it_is(opened: Browser, trial: FakeTrial) -> None:
    trial.answers = [{"status": 429, "document": {"message": "Too Many Requests"}, "milliseconds": 1}]
    opened.click("#submit")
    assert opened.see("#problem", "Too Many").strip() == "Too Many Requests"
    assert opened.text("#answer") == "Refused (429)."


def test_it_works_with_keys_alone(opened: Browser, trial: FakeTrial) -> None:
    opened.press("Tab")
    assert opened.evaluate("document.activeElement.className") == "skip"
    seen = []
    for _ in range(20):
        opened.press("Tab")
        seen.append(opened.evaluate("document.activeElement.id || document.activeElement.name"))
        if seen[-1] == "submit":
            break
    assert [name for name in seen if name.startswith("field-")] == [f"field-{number}" for number in range(5)]
    opened.press("Enter")
    opened.see("#answer", "answered in")
    assert len(trial.asked) == 1


def test_every_control_has_a_name_and_ids_are_unique(opened: Browser) -> None:
    unnamed = opened.evaluate(
        "[...document.querySelectorAll('input, select, textarea')]"
        ".filter(e => !(e.labels && e.labels.length)).map(e => e.id || e.name)"
    )
    assert unnamed == []
    twice = opened.evaluate(
        "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)"
    )
    assert twice == []
    dangling = opened.evaluate(
        "[...document.querySelectorAll('[aria-describedby],[aria-labelledby]')].flatMap(e => "
        "`${e.getAttribute('aria-describedby') || ''} ${e.getAttribute('aria-labelledby') || ''}`.split(' '))"
        ".filter(id => id && !document.getElementById(id))"
    )
    assert dangling == []


def test_several_rows_are_a_table(opened: Browser, trial: FakeTrial) -> None:
    opened.click("#mode-json")
    rows = [{"species": "Adelie"}, {"species": "Gentoo"}]
    opened.type("#json", json.dumps(rows))
    opened.click("#submit")
    opened.see("#answer", "answered in")
    assert opened.evaluate("document.querySelectorAll('#answer tbody tr').length") == 2
    assert trial.asked == [rows]


def test_json_that_is_none_is_not_sent(opened: Browser, trial: FakeTrial) -> None:
    opened.click("#mode-json")
    opened.type("#json", "[{]")
    opened.click("#submit")
    opened.see("#problem", "This is not JSON")
    assert trial.asked == []


def test_the_curl_line_is_what_is_asked_quoted_for_a_shell(opened: Browser, trial: FakeTrial) -> None:
    opened.type("[name=species]", "O'Hara's $(rm) \"x\"")
    words = shlex.split(opened.text("#curl").replace("\\\n", " "))
    assert words[0] == "curl"
    assert words[-1] == trial.about["curl"]["url"]
    sent = json.loads(words[words.index("-d") + 1])
    assert sent["instances"][0]["species"] == "O'Hara's $(rm) \"x\""


def test_without_a_schema_rows_are_written_as_json(browser: Browser, page: PageServer, trial: FakeTrial) -> None:
    trial.about |= {"fields": [], "outputs": None, "note": "The model has no schema: write rows as JSON."}
    browser.open(page.url)
    assert browser.value("#mode-form", "disabled") is True
    assert browser.text("#note") == "The model has no schema: write rows as JSON."
    trial.answers = [{"status": 200, "document": {"predictions": [3]}, "milliseconds": 1}]
    browser.click("#submit")
    assert browser.see("#answer", "answered in").startswith("3")


def test_an_answer_of_another_form_is_shown_as_it_is(browser: Browser, page: PageServer, trial: FakeTrial) -> None:
    trial.about |= {"outputs": None}
    trial.answers = [{"status": 200, "document": {"predictions": [{"score": 1}]}, "milliseconds": 1}]
    browser.open(page.url)
    browser.click("#submit")
    browser.see("#answer", "answered in")
    assert json.loads(browser.text("#answer pre")) == {"score": 1}


def test_texts_of_the_schema_are_texts(browser: Browser, page: PageServer, trial: FakeTrial) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    trial.about |= {"pipeline": evil, "note": evil, "title": evil}
    trial.about["fields"] = [{"name": evil, "type": "string", "missing": False, "options": [evil], "open": False}]
    trial.about["fields"][0]["example"] = evil
    browser.events.clear()
    browser.open(page.url)
    assert browser.text("h1") == evil
    assert browser.evaluate("document.images.length") == 0
    assert browser.complaints() == []


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_refused(opened: Browser, page: PageServer) -> None:
    opened.click("#submit")
    opened.see("#answer", "answered in")
    assert {url for url in opened.asked() if not url.startswith("data:")} == {page.url, f"{page.url}predict"}
    assert opened.complaints() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(opened: Browser, scheme: str, tmp_path: Path) -> None:
    """WCAG 2.1 AA: 4.5 to 1, https://www.w3.org/TR/WCAG21/#contrast-minimum."""
    opened.media(prefers_color_scheme=scheme)
    opened.click("#submit")
    opened.see("#answer", "answered in")
    pairs = opened.evaluate(_CONTRAST)
    opened.media(prefers_color_scheme="light")
    assert len(pairs) > 20
    assert [pair for pair in pairs if pair[1] < 4.5] == []


def test_it_fits_a_small_window(opened: Browser) -> None:
    opened.size(360, 740)
    try:
        assert opened.evaluate("document.documentElement.scrollWidth <= 360")
    finally:
        opened.size(1100, 900)


def test_a_command_that_has_ended_is_said(opened: Browser, page: PageServer, trial: FakeTrial) -> None:
    page._server.page.token = "another"
    opened.click("#submit")
    assert opened.see("#problem", "nothing here")


_CONTRAST = """
(() => {
  const parse = (text) => (text.match(/[0-9.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const found = parse(getComputedStyle(e).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const e of document.querySelectorAll('h1,h2,p,label,span,button,input,select,code,li')) {
    if (!e.offsetParent || e.type === 'radio' || !(e.innerText || e.value)) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
    found.push([`${e.tagName}.${e.className}#${e.id}`, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
  }
  return found;
})()
"""
