"""Copies tables from the reports in results/ into the README: `make tables`.

A table stands between `<!-- table N of results/SUITE.md -->` and `<!-- end of table -->`.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARKED = re.compile(
    r"(<!-- table (\d+) of (results/[\w/-]+\.md) -->\n).*?(<!-- end of table -->)", re.DOTALL
)
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)


def updated(page: str) -> str:
    """A page with its marked tables as the reports have them."""

    def from_report(marked: re.Match[str]) -> str:
        start, number, report, end = marked.groups()
        tables = TABLE.findall((ROOT / report).read_text(encoding="utf-8"))
        return f"{start}\n{tables[int(number) - 1]}\n{end}"

    return MARKED.sub(from_report, page)


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(updated(readme.read_text(encoding="utf-8")), encoding="utf-8")
