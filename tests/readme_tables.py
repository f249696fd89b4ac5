"""Copies tables from the reports in results/ into the README: `make tables`.

A table stands between `<!-- table N of results/SUITE.md -->` and `<!-- end of table -->`; with
`, rows A; B` behind the report's name only those whose names begin so are copied.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARKED = re.compile(
    r"(<!-- table (\d+) of (results/[\w/-]+\.md)(?:, rows ([^>]+))? -->\n)"
    r".*?(<!-- end of table -->)",
    re.DOTALL,
)
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)


def chosen(table: str, names: list[str]) -> str:
    """A table with its head, the rows whose names begin with one of these, and their headings."""
    head, rule, *rows = table.splitlines(keepends=True)
    kept = [row for row in rows if row.startswith(("| *", *(f"| {name}" for name in names)))]
    # A heading without rows says nothing.
    following = [*kept[1:], "| *"]
    pairs = zip(kept, following, strict=True)
    return head + rule + "".join(row for row, after in pairs if not both_headings(row, after))


def both_headings(*rows: str) -> bool:
    """Whether rows only say what follows."""
    return all(row.startswith("| *") for row in rows)


def updated(page: str) -> str:
    """A page with its marked tables as the reports have them."""

    def from_report(marked: re.Match[str]) -> str:
        start, number, report, rows, end = marked.groups()
        tables = TABLE.findall((ROOT / report).read_text(encoding="utf-8"))
        table = tables[int(number) - 1]
        return f"{start}\n{chosen(table, rows.split('; ')) if rows else table}\n{end}"

    return MARKED.sub(from_report, page)


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(updated(readme.read_text(encoding="utf-8")), encoding="utf-8")
