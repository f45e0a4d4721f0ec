"""Clean the penguins' measurements and split them into rows to learn from and rows to be judged by.

Reads every `.csv` of the input (a folder or one file), drops rows with a missing value and rows that are there twice,
and writes `train.csv` and `test.csv`, each with the columns of `COLUMNS`; both sexes are equally frequent in both.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

TARGET = "sex"
CATEGORIES = ["species", "island"]
MEASUREMENTS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
COLUMNS = [*CATEGORIES, *MEASUREMENTS, TARGET]
SEXES = ("female", "male")
FEWEST_ROWS = 20


def read_rows(source: Path) -> pd.DataFrame:
    """Return the rows of one `.csv`, or of all in a folder and below, with the columns of `COLUMNS`."""
    files = sorted(source.rglob("*.csv")) if source.is_dir() else [source]
    if not files:
        raise ValueError(f"{source} holds no .csv file")
    return pd.concat([read_file(file) for file in files], ignore_index=True)


def read_file(file: Path) -> pd.DataFrame:
    """Return one file's rows; raises ValueError that names the file and what is wrong with it."""
    try:
        rows = pd.read_csv(file)
    except pd.errors.EmptyDataError:
        raise ValueError(f"{file.name} is empty") from None
    missing = [column for column in COLUMNS if column not in rows.columns]
    if missing:
        raise ValueError(f"{file.name} has no column {', '.join(missing)}; it has {', '.join(map(str, rows.columns))}")
    for column in MEASUREMENTS:
        rows[column] = numbers(rows[column], file.name)
    return rows[COLUMNS]


def numbers(column: pd.Series, where: str) -> pd.Series:
    """Return a column as numbers, missing ones as NaN; raises ValueError that names the first text in it."""
    found = pd.to_numeric(column, errors="coerce")
    wrong = column[found.isna() & column.notna()]
    if len(wrong):
        raise ValueError(
            f"{where}: {column.name} is {wrong.iloc[0]!r} in row {wrong.index[0] + 1}; it must be a number"
        )
    return found


def clean(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the complete rows, each once; raises ValueError when too few are left to learn from."""
    complete = rows.dropna().drop_duplicates(ignore_index=True)
    unknown = sorted(set(complete[TARGET]) - set(SEXES))
    if unknown:
        raise ValueError(f"{TARGET} is {unknown[0]!r}; it must be {' or '.join(SEXES)}")
    if len(complete) < FEWEST_ROWS or complete[TARGET].nunique() < len(SEXES):
        counts = complete[TARGET].value_counts().to_dict()
        raise ValueError(f"{len(complete)} complete rows {counts}; needed are {FEWEST_ROWS} with both sexes among them")
    return complete


def main(arguments: list[str] | None = None) -> None:
    """Run as a processing job, or by hand: `python process.py --input data/penguins.csv --train T --test U`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, default=Path("/opt/ml/processing/input/data"))
    parser.add_argument("--train", type=Path, default=Path("/opt/ml/processing/train"))
    parser.add_argument("--test", type=Path, default=Path("/opt/ml/processing/test"))
    parser.add_argument("--test-fraction", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args(arguments)
    if not 0 < options.test_fraction < 1:
        parser.error(f"--test-fraction is {options.test_fraction}; it must be between 0 and 1")

    rows = read_rows(options.input)
    complete = clean(rows)
    train, test = train_test_split(
        complete, test_size=options.test_fraction, random_state=options.seed, stratify=complete[TARGET]
    )
    for part, folder in ((train, options.train), (test, options.test)):
        folder.mkdir(parents=True, exist_ok=True)
        part.to_csv(folder / f"{'train' if part is train else 'test'}.csv", index=False)
    print(f"{len(rows)} rows read, {len(complete)} complete and different; {len(train)} to train, {len(test)} to test")


if __name__ == "__main__":
    main()
