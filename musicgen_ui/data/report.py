"""What a prepare run did, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Report:
    """Counts by corpus.

    Attributes:
        files: sources seen.
        pieces: pieces kept; one file may give several.
        unchanged: sources taken over from an earlier run.
        duplicates: pieces dropped because the same notes were there before, in any key.
        skipped: reason to number of files.
        scales: whether there was enough music to say what the unit sliders mean; None if it was not asked.
    """

    files: Counter[str] = field(default_factory=Counter)
    pieces: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, Counter[str]] = field(default_factory=dict)
    scales: bool | None = None

    def table(self) -> str:
        """The counts as text: a line a corpus, their sum, and a line a reason."""
        head = ("corpus", "files", "skipped", "duplicates", "pieces", "unchanged")
        rows = [(name, *self._counts(name)) for name in self.files]
        rows.append(("all", *(sum(column) for column in zip(*(row[1:] for row in rows), strict=True))))
        lines = [f"{name:<32}" + "".join(f"{value:>12}" for value in values) for name, *values in (head, *rows)]
        reasons = Counter(reason for found in self.skipped.values() for reason in found.elements())
        if reasons:
            lines += ["", "skipped, because the file"]
            lines += [f"{count:>7}  {reason}" for reason, count in sorted(reasons.items(), key=lambda r: (-r[1], r[0]))]
        if self.scales is False:
            lines += ["", "too few pieces with two parts or more to fit the sliders: measures.json was not written"]
        return "\n".join(lines)

    def _counts(self, name: str) -> tuple[int, ...]:
        skipped = sum(self.skipped.get(name, Counter()).values())
        return self.files[name], skipped, self.duplicates[name], self.pieces[name], self.unchanged[name]

    def __str__(self) -> str:
        return self.table()
