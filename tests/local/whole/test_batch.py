"""`modelwright batch`: whole files through the model, each row answered as by the endpoint; stopped, resumed."""

import csv
import io
import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from modelwright.local.daemon.attach import status

COLUMNS = ["species", "island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


@pytest.fixture(scope="module")
def sample(up):
    """The penguins' rows, as the model takes them."""
    with (up.folder / "data" / "penguins.csv").open(newline="") as file:
        return [[row[name] for name in COLUMNS] for row in csv.DictReader(file)]


@pytest.fixture(scope="module", autouse=True)
def schema(up, place):
    """The model's schema lies beside its archive, wherever packaging does not put it."""
    session, deployment = place
    s3 = session.client("s3")
    found = s3.list_objects_v2(Bucket=deployment.artifact_bucket, Prefix="models/penguins/")["Contents"]
    folder = next(entry["Key"] for entry in found if entry["Key"].endswith("model.tar.gz")).rpartition("/")[0]
    if not any(entry["Key"] == f"{folder}/schema.json" for entry in found):
        up.cli("export", "penguins", "--to", "onnx", "--output", "for-schema")
        body = (up.root / "for-schema" / "schema.json").read_bytes()
        s3.put_object(Bucket=deployment.artifact_bucket, Key=f"{folder}/schema.json", Body=body)


def both(up, *arguments):
    """Run a command that ends well; returns all that it says."""
    with up.start(*arguments) as process:
        out, err = process.communicate(timeout=180)
    assert process.returncode == 0, out + err
    return out + err


def lines(rows):
    return "".join(",".join(row) + "\n" for row in rows)


def answers(up, rows):
    """What the endpoint says of rows, as CSV."""
    path = up.root / "asked.csv"
    path.write_text(lines(rows))
    said = up.cli("predict", "penguins", "--file", str(path), "--accept", "text/csv")
    return [[cell[0], *map(float, cell[1:])] for cell in csv.reader(io.StringIO(said))]


def many(sample, count, seed=1):
    rng = random.Random(seed)  # noqa: S311 - no secret
    return [rng.choice(sample) for _ in range(count)]


def jsonl(rows):
    cells = [[*row[:2], *(None if cell == "NA" else float(cell) for cell in row[2:])] for row in rows]
    return "".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in cells)


def incoming(place, files, folder):
    """Bring files as a producer does; returns their folder's address."""
    session, deployment = place
    prefix = f"incoming/penguins/{folder}/"
    for name, text in files.items():
        session.client("s3").put_object(Bucket=deployment.data_bucket, Key=prefix + name, Body=text.encode())
    return f"s3://{deployment.data_bucket}/{prefix}"


def test_each_record_stands_before_what_the_endpoint_says_of_it(up, sample):
    given = up.root / "given"
    (given / "more").mkdir(parents=True)
    rows = {"a.csv": sample, "more/b.csv": many(sample, 500)}
    header = ["year", *reversed(COLUMNS)]  # other columns, in another order: the header says which is which
    for name, found in rows.items():
        (given / name).write_text(lines([header, *(["2007", *reversed(row)] for row in found)]))
    said = json.loads(up.cli("batch", "penguins", "--input", str(given), "--output", "got", "--json"))
    assert (said["status"], said["files"], said["rows"]) == ("Completed", ["a.csv", "more/b.csv"], len(sample) + 500)
    for name, found in rows.items():
        written = list(csv.reader((up.root / "got" / f"{name}.out").open(newline="")))
        assert [cells[:7] for cells in written] == [[*row, "2007"] for row in found], "the model's columns come first"
        judged = [[cells[7], *map(float, cells[8:])] for cells in written]
        wanted = answers(up, found)
        assert [row[0] for row in judged] == [row[0] for row in wanted]
        assert [row[1:] for row in judged] == [pytest.approx(row[1:], abs=1e-6) for row in wanted]


def test_json_lines_get_an_attribute(up, sample):
    (up.root / "few.jsonl").write_text(jsonl(sample[:5]))
    up.cli("batch", "penguins", "--input", "few.jsonl", "--output", "got")
    found = [json.loads(line) for line in (up.root / "got" / "few.jsonl.out").read_text().splitlines()]
    wanted = answers(up, sample[:5])
    assert [row["SageMakerOutput"]["predictions"][0]["sex"] for row in found] == [row[0] for row in wanted]
    assert [row["island"] for row in found] == [row[1] for row in sample[:5]]


def test_without_join_there_are_answers_alone(up, sample):
    (up.root / "few.csv").write_text(lines(sample[:5]))
    up.cli("batch", "penguins", "--input", "few.csv", "--no-join", "--output", "alone")
    found = (up.root / "alone" / "few.csv.out").read_text().splitlines()
    assert [line.split(",")[0] for line in found] == [row[0] for row in answers(up, sample[:5])]


def test_a_bad_line_is_told_and_the_rest_is_resumed(up, place, sample):
    bad = lines([*sample[:3], [*sample[3][:2], "long", *sample[3][3:]]])
    uri = incoming(place, {"a.csv": lines(sample[:9]), "b.csv": bad, "c.csv": lines(sample[9:20])}, "bad")
    said = up.cli("batch", "penguins", "--input", uri, code=1)
    assert "is Failed: ClientError: See job logs for more information" in said
    assert 'b.csv: line 4: bill_length_mm is "long"; it must be a number' in said
    assert "2 outputs: s3://" in said
    job = next(word for word in said.split() if word.startswith("dev-penguins-batch-")).rstrip(":")
    assert f"--resume {job}" in said

    up.cli("batch", "penguins", "--resume", job, code=1)  # it is still wrong
    incoming(place, {"b.csv": lines(sample[:4])}, "bad")
    done = json.loads(up.cli("batch", "penguins", "--resume", f"{job[:-2]}01", "--json", "--output", "resumed"))
    assert (done["status"], done["files"]) == ("Completed", ["a.csv", "b.csv", "c.csv"])
    assert done["job"] == f"{job[:-2]}02"
    sizes = {name: len((up.root / "resumed" / f"{name}.out").read_text().splitlines()) for name in done["files"]}
    assert sizes == {"a.csv": 9, "b.csv": 4, "c.csv": 11}
    session, _ = place
    manifest = session.client("sagemaker").describe_transform_job(TransformJobName=done["job"])["TransformInput"]
    bucket, _, key = manifest["DataSource"]["S3DataSource"]["S3Uri"].removeprefix("s3://").partition("/")
    assert json.loads(session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())[1:] == ["b.csv"]
    assert "every file has its output" in both(up, "batch", "penguins", "--resume", done["job"])


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"empty.csv": ""}, "empty.csv is empty"),
        ({"a.csv": "1,2\n"}, "line 1 has 2 values; it must have 6: species"),
        ({"a.csv": "species,island\nx,y\n"}, "the column bill_length_mm, bill_depth_mm"),
        ({"a.csv": f"{','.join(COLUMNS)}\n"}, "a header line, but no rows"),
        ({"a.txt": "x"}, "a.txt: batch transform takes lines of CSV"),
        ({"a.csv": "\0\0"}, "is no text in UTF-8"),
        ({"a.jsonl": "species\n"}, "line 1 is not JSON"),
        ({"a.jsonl": '{"x": 1}\n'}, "none of the columns"),
        ({"a.jsonl": "{}\n", "b.csv": "1\n"}, "files of one kind"),
        ({".hidden": "x"}, "holds no data file"),
    ],
)
def test_wrong_files_are_refused_before_anything_starts(up, tmp_path, files, said):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert said in up.cli("batch", "penguins", "--input", str(tmp_path), code=2)


def test_wrong_places_are_refused(up, place, sample):
    _, deployment = place
    own = f"s3://{deployment.data_bucket}/incoming/penguins/"
    assert "no such file or folder" in up.cli("batch", "penguins", "--input", "nowhere", code=2)
    assert "read below" in up.cli("batch", "penguins", "--input", "s3://their-bucket/x/", code=2)
    assert "There is no object at" in up.cli("batch", "penguins", "--input", f"{own}nothing/", code=2)
    with_header = incoming(place, {"a.csv": lines([COLUMNS, *sample[:2]])}, "header")
    said = up.cli("batch", "penguins", "--input", with_header, code=2)
    assert "a.csv has a header line: species, island" in said
    assert "no batch job of penguins" in up.cli("batch", "penguins", "--resume", "something", code=2)
    assert "There is no batch job" in up.cli("batch", "penguins", "--resume", "0123456789ab", code=2)


def test_a_prefix_is_no_more_than_the_folder(up, place, sample):
    uri = incoming(place, {"day/a.csv": lines(sample[:2]), "day-2/b.csv": lines(sample[:2])}, "near")
    said = json.loads(up.cli("batch", "penguins", "--input", f"{uri}day", "--json"))
    assert said["files"] == ["a.csv"]


def test_two_at_once_do_not_meet(up, sample):
    for name, count in (("one", 3000), ("two", 2000)):
        (up.root / f"{name}.csv").write_text(lines(many(sample, count)))
    started = [
        up.start("batch", "penguins", "--input", f"{name}.csv", "--output", f"got-{name}", "--json")
        for name in ("one", "two")
    ]
    said = [json.loads(process.communicate(timeout=120)[0]) for process in started]
    assert [each["rows"] for each in said] == [3000, 2000]
    assert said[0]["output"] != said[1]["output"]


def running(up, place, name, sample, count):
    """Start a batch that takes long enough to be disturbed, and wait until its first file is done."""
    session, deployment = place
    files = {f"{number}.jsonl": jsonl(many(sample, 1 if number == 0 else count)) for number in range(3)}
    uri = incoming(place, files, name)
    process = up.start("batch", "penguins", "--input", uri)
    line = process.stderr.readline()
    assert line.startswith("batch job "), line + process.stderr.read()
    job = line.split()[2].rstrip(":")
    for _ in range(3000):
        found = session.client("s3").list_objects_v2(Bucket=deployment.artifact_bucket, Prefix=f"batch/penguins/{job}/")
        if any(entry["Key"].endswith(".out") for entry in found.get("Contents", [])):
            return process, job
        time.sleep(0.01)
    raise AssertionError("no output came")


def test_ctrl_c_stops_the_job_and_it_can_be_resumed(up, place, sample):
    process, job = running(up, place, "stopped", sample, 1500)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert f"--resume {job}" in err
    session, _ = place
    assert session.client("sagemaker").describe_transform_job(TransformJobName=job)["TransformJobStatus"] == "Stopped"
    for number in (1, 2):  # what would take long is put right
        incoming(place, {f"{number}.jsonl": jsonl(sample[:number])}, "stopped")
    done = json.loads(up.cli("batch", "penguins", "--resume", job, "--json"))
    assert (done["status"], done["files"]) == ("Completed", ["0.jsonl", "1.jsonl", "2.jsonl"])


def test_a_local_cloud_that_is_killed_leaves_a_failed_job_that_can_be_resumed(up, place, sample):
    process, job = running(up, place, "killed", sample, 1500)
    before = status(up.root)
    os.kill(before.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == 1
    up.cli("up")
    up.run()  # the fixtures' session is the old daemon's
    said = both(up, "batch", "penguins", "--resume", job, "--json", "--output", "after")
    assert '"status": "Completed"' in said
    for number, count in ((0, 1), (1, 1500), (2, 1500)):
        assert len((up.root / "after" / f"{number}.jsonl.out").read_text().splitlines()) == count
    assert Path(up.root / "after").is_dir()
