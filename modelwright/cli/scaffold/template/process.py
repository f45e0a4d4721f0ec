"""Clean the flats and split them into rows to learn from (`train.csv`) and rows to be judged by (`test.csv`)."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

COLUMNS = ["area_m2", "rooms", "district", "year_built", "floor", "balcony", "rent"]
FEWEST_ROWS = 20


def read_rows(source: Path) -> pd.DataFrame:
    """Return the rows of one `.csv`, or of all in a folder; raises ValueError that names the file that is wrong."""
    files = sorted(source.rglob("*.csv")) if source.is_dir() else [source]
    if not files:
        raise ValueError(f"{source} holds no .csv file")
    parts = []
    for file in files:
        rows = pd.read_csv(file)
        missing = [column for column in COLUMNS if column not in rows.columns]
        if missing:
            raise ValueError(f"{file.name} has no column {', '.join(missing)}; it has {', '.join(rows.columns)}")
        parts.append(rows[COLUMNS])
    return pd.concat(parts, ignore_index=True)


def clean(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the complete rows, each once; raises ValueError when too few are left."""
    complete = rows.dropna().drop_duplicates(ignore_index=True)
    if len(complete) < FEWEST_ROWS:
        raise ValueError(f"{len(complete)} of {len(rows)} rows are complete; needed are {FEWEST_ROWS}")
    return complete


def main(arguments: list[str] | None = None) -> None:
    """Run as a processing job, or by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, default=Path("/opt/ml/processing/input/data"))
    parser.add_argument("--train", type=Path, default=Path("/opt/ml/processing/train"))
    parser.add_argument("--test", type=Path, default=Path("/opt/ml/processing/test"))
    parser.add_argument("--test-fraction", type=float, default=0.25)
    options = parser.parse_args(arguments)

    rows = read_rows(options.input)
    complete = clean(rows)
    train, test = train_test_split(complete, test_size=options.test_fraction, random_state=0)
    for name, part, folder in (("train.csv", train, options.train), ("test.csv", test, options.test)):
        folder.mkdir(parents=True, exist_ok=True)
        part.to_csv(folder / name, index=False)
    print(f"{len(rows)} rows read, {len(complete)} complete; {len(train)} to train, {len(test)} to test")


if __name__ == "__main__":
    main()
