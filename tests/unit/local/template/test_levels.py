from pathlib import Path

from modelwright.local.template.levels import with_table

PAGE = Path(__file__).parents[4] / "docs" / "local.md"


def test_the_page_shows_the_levels_as_they_are():
    text = PAGE.read_text()
    assert with_table(text) == text, "stale: python -m modelwright.local.template.levels"
