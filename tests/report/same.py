"""Whether a Parquet file, read by DuckDB, holds what a CSV file of the same calls holds.

    same.py PARQUET CSV

Prints the number of rows and the types of the columns as JSON; fails where a value differs. The CSV is read by Python's own
csv module, an apostrophe in front of a text that a spreadsheet would run taken away.
"""

import csv
import datetime
import json
import sys

import duckdb


def shown(value):
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
    return str(value)


def main():
    # Instants as milliseconds, for which DuckDB needs no time zones of Python's.
    calls = duckdb.read_parquet(sys.argv[1])
    columns = dict(zip(calls.columns, map(str, calls.types)))
    instants = [name for name, of in columns.items() if of.startswith("TIMESTAMP")]
    fields = ", ".join(f"epoch_ms({name}) AS {name}" if name in instants else f'"{name}"' for name in columns)
    found = calls.project(fields).fetchall()
    with open(sys.argv[2], newline="", encoding="utf-8") as file:
        expected = list(csv.reader(file))
    assert expected[0] == list(columns), (expected[0], list(columns))
    assert len(found) == len(expected) - 1, (len(found), len(expected) - 1)
    for ours, theirs in zip(expected[1:], found):
        for name, left, right in zip(columns, ours, theirs):
            if name in instants and right is not None:
                right = datetime.datetime.fromtimestamp(right / 1000, datetime.timezone.utc)
            assert left.removeprefix("'") == shown(right), (name, left, right)
    print(json.dumps({"rows": len(found), "types": columns}))


main()
