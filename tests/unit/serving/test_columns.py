"""Large CSV read by columns gives what reading it line by line gives, or nothing at all."""

from __future__ import annotations

import random

import numpy as np
import pytest

from modelwright.serving.bodies import answers, bulk, columns, rows
from modelwright.serving.problems import RequestError
from modelwright.serving.schema import Column, Outputs, Schema

OUTPUTS = Outputs(("female", "male"), "records", "sex", "probability")
SCHEMA = Schema(
    (
        Column(
            "place",
            "string",
            missing=True,
            categories=("Biscoe", "Dream", "Torgersen", "Bø", "Torgersheim"),
            unknown=True,
        ),
        Column("kind", "string", categories=("a", "b b")),
        Column("size", "number", missing=True),
        Column("count", "integer", missing=True),
        Column("tame", "boolean", missing=True),
    ),
    OUTPUTS,
)
PLACES = ["Biscoe", "Dream", "Torgersen", "Torgersheim", "Bø", "", "NA", "Elsewhere", "Far far away, no"[:12], "é" * 9]
SIZES = ["1", "-1", "39.1", "0.001", ".5", "5.", "-.5", "-0", "12345678", "1234567.8", "123456789", "1e3", "-1.5e-7",
         "", "NaN", " 7 ", "+3", "3.4e38", "0.1234567890123456", "00012.50"]  # fmt: skip
COUNTS = ["1", "-3", "3.0", "1e2", "", "NA", "99999999", "1234567890"]
TAMES = ["true", "False", "", "TRUE", "nan"]
BAD_SIZES = [".", "-", "-.", "1.2.3", "1_0", "x", "\u0661", "inf", "1e39", "--1", "0x10", "1 2", "12a", "1-2"]


def read(body: bytes, schema: Schema = SCHEMA) -> list[np.ndarray] | None:
    layout = columns.layout(body, schema)
    if layout is None:
        return None
    found = [columns.read(piece, schema, layout) for piece in columns.pieces(body, layout.begin)]
    if any(each is None for each in found):
        return None
    return [np.concatenate(parts) for parts in zip(*(each for each in found if each is not None), strict=True)]


def same(found: list[np.ndarray] | None, wanted: list[np.ndarray]) -> bool:
    if found is None or [each.dtype for each in found] != [each.dtype for each in wanted]:
        return False
    return all(
        one.shape == other.shape
        and all(a == b or (np.isnan(a) and np.isnan(b)) for a, b in zip(one.flat, other.flat, strict=True))
        for one, other in zip(found, wanted, strict=True)
    )


def line(rng: random.Random) -> str:
    return ",".join(map(rng.choice, (PLACES, ["a", "b b"], SIZES, COUNTS, TAMES)))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_same_arrays_as_line_by_line(seed: int, newline: str) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    text = newline.join(line(rng) for _ in range(300)) + newline * (seed % 2)
    assert same(read(text.encode()), rows.from_csv(text, SCHEMA))


def test_a_header_says_where_the_columns_are() -> None:
    text = "size,other,kind,tame,count,place\n" + "39.1,x,a,true,3,Dream\n" * 50
    assert same(read(text.encode()), rows.from_csv(text, SCHEMA))


def test_pieces_are_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"{line(random.Random(n))}\n" for n in range(200))  # noqa: S311 - no secret
    for size in (1, 40, 100, 1000):
        monkeypatch.setattr(columns, "_PIECE_BYTES", size)
        assert b"".join(columns.pieces(text.encode(), 0)) == text.encode()
        assert same(read(text.encode()), rows.from_csv(text, SCHEMA))


def test_numbers_are_rounded_as_pythons_own(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(7)  # noqa: S311 - no secret
    texts = [f"{rng.uniform(-1, 1) * 10 ** rng.randint(-3, 6):.{rng.randint(0, 6)}f}"[:8] for _ in range(20_000)]
    schema = Schema((Column("x", "number"), Column("y", "number")), OUTPUTS)
    found = read("".join(f"{text},1\n" for text in texts if text not in {"-", ""}).encode(), schema)
    assert found is not None
    assert found[0].ravel().tolist() == [float(np.float32(float(text))) for text in texts if text not in {"-", ""}]


@pytest.mark.parametrize("bad", BAD_SIZES)
def test_what_is_no_number_is_left_to_the_long_way(bad: str) -> None:
    text = "Dream,a,1,1,true\n" * 20 + f"Dream,a,{bad},1,true\n"
    assert read(text.encode()) is None
    with pytest.raises(RequestError):
        rows.from_csv(text, SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "Dream,a,1,1,true\n\nDream,a,1,1,true\n",  # a blank line
        'Dream,a,"1",1,true\n',
        "Dream,a,1,1\n",
        "Dream,a,1,1,true\nDream,a,1,1\nDream,a,1,1,true,9\n",
        "Dream,c,1,1,true\n",  # no category, and none is taken that is not one
        "Dream,,1,1,true\n",
        "Dream,a,1,1.5,true\n",
        "Dream,a,1,1,maybe\n",
        "size,kind\n1,a\n",
        "size,other,kind,tame,count,place\n",
        "\ufeffDream,a,1,1,true\n",
    ],
)
def test_what_is_not_plain_is_left_to_the_long_way(text: str) -> None:
    assert read(text.encode()) is None


def test_bytes_that_are_no_text_are_left_to_the_long_way() -> None:
    assert read(b"Dr\xff\xfeam,a,1,1,true\n" * 3) is None


def test_answers_are_written_as_one_by_one() -> None:
    probabilities = np.array([[0.25, 0.75], [0.9, 0.1], [1e-7, 1 - 1e-7]], dtype=np.float32)
    for labels in (("female", "male"), ("a,b", 'say "x"'), (0, 1)):
        outputs = Outputs(labels, "records", "sex", "probability")
        names = [labels[place] for place in probabilities.argmax(axis=1)]
        wanted = answers.writer(outputs, "text/csv")(names, probabilities.tolist()).decode()
        found = (bulk.CsvWriter(outputs).write(probabilities) or b"").decode()
        assert len(found.splitlines()) == len(wanted.splitlines())
        for one, other in zip(found.splitlines(), wanted.splitlines(), strict=True):
            assert one.rsplit(",", 2)[0] == other.rsplit(",", 2)[0]
            assert [float(cell) for cell in one.rsplit(",", 2)[1:]] == [
                float(cell) for cell in other.rsplit(",", 2)[1:]
            ]


def test_what_json_cannot_say_is_left_to_the_long_way() -> None:
    assert bulk.CsvWriter(OUTPUTS).write(np.array([[np.nan, 1.0]])) is None
    assert not bulk.CsvWriter(Outputs(("a],[b", "c"), "records", "x", "p")).can
    assert not bulk.CsvWriter(Outputs(("a", "c"), "labels")).can
