"""The generated documents, and that the picture shows the graph that there is."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from modelwright.workflow.definition import definition
from modelwright.workflow.layout import edges, failure_path, places, way_to_success
from modelwright.workflow.picture import documents, draw, main
from modelwright.workflow.structure import ENDPOINT_KINDS, WorkflowStructure

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", ["state-machine.json", "state-machine.svg"])
def test_the_documents_are_those_of_this_definition(name: str) -> None:
    stale = "docs/ is stale: run `python -m modelwright.workflow.picture`"
    assert (DOCS / name).read_text("utf-8") == documents()[name], stale


def test_the_generator_writes_what_it_returns(tmp_path: Path) -> None:
    main(tmp_path)
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == documents()


@pytest.mark.parametrize("kind", ENDPOINT_KINDS)
def test_every_state_has_a_place_of_its_own_and_is_drawn(kind: str) -> None:
    document = definition(WorkflowStructure("penguins", kind))
    found = places(document)

    assert set(found) == set(document["States"])
    assert len(set(found.values())) == len(found)
    root = ET.fromstring(draw(document))
    names = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.get("class") == "name"]
    assert sorted(str(name) for name in names) == sorted(document["States"])


@pytest.mark.parametrize(("kind", "end"), [("realtime", "ReportDeployed"), ("none", "ReportRegistered")])
def test_the_way_to_success_is_drawn_straight_down(kind: str, end: str) -> None:
    document = definition(WorkflowStructure("penguins", kind))
    way = way_to_success(document)

    assert (way[0], way[-1]) == ("PrepareRun", end)
    pairs = {(edge.source, edge.target) for edge in edges(document) if edge.kind != "catch"}
    assert set(itertools.pairwise(way)) <= pairs


def test_the_failure_path_is_what_follows_an_error_at_its_deepest() -> None:
    document = definition(WorkflowStructure("penguins"))
    path = failure_path(document)

    assert path[-1] == "FailRun"
    assert {edge.target for edge in edges(document) if edge.source in path} <= set(path)
