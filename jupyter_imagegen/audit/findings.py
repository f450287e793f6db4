"""Report: what an audit found, as text and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final, Literal, get_args

from ..blobs import nearby

Damage = Literal["missing", "altered", "damaged", "torn", "loose", "doubled", "unforgotten", "unreadable"]
"""What is not as it was promised: a picture, a line or a call is lost, changed, or cannot be looked at."""

Remark = Literal["orphaned", "unfinished", "unclosed", "open", "unread", "renamed", "unknown"]
"""What a crash, a person or a later version leaves, and what is worth knowing."""

Kind = Damage | Remark

_DAMAGE: Final = frozenset(get_args(Damage))
_ORDER: Final = (*get_args(Damage), *get_args(Remark))
_MOST_SHOWN: Final = 30
_COLUMNS: Final = ("", "file", "call", "what it is", "repair")
_LEFT: Final = 'style="text-align: left"'
_TABLE: Final = (
    "<p>{head}</p>"
    '<table border="1" class="dataframe mathjax_ignore tex2jax_ignore"><thead><tr>{names}</tr></thead>'
    '<tbody>{body}</tbody></table><p class="mathjax_ignore tex2jax_ignore">{foot}</p>'
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Finding:
    """One thing that was found: its kind, a file below the store, a call id (each may be ""), and what it is."""

    kind: Kind
    path: str
    call: str
    says: str
    repair: str = ""
    """What `mend` would do about it; "" where nothing is safe."""
    sha256: str = ""
    """The digest that the journal names, of a picture that is not as it says."""
    copy: str = ""
    """A file below the store that has the bytes of a missing picture."""

    def __repr__(self) -> str:
        where = "  ".join(part for part in (self.path, self.call) if part)
        repair = f" Repair: {self.repair}" if self.repair else ""
        return visible(f"{self.kind:<11}  {where}{': ' if where else ''}{self.says}{repair}")

    @property
    def is_damage(self) -> bool:
        """Whether something that was promised is not so; False for a remark."""
        return self.kind in _DAMAGE


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report:
    """What an audit of a store looked at and found: damage first, then remarks."""

    store: Path
    pictures: int = 0
    """Files of images/ and inputs/ that were hashed, with `bytes` in all."""
    bytes: int = 0
    lines: int = 0
    calls: int = 0
    findings: tuple[Finding, ...] = ()
    mended: tuple[str, ...] = ()
    """What `mend` did before, in a sentence each."""

    def __repr__(self) -> str:
        shown = [repr(finding) for finding in self.findings[:_MOST_SHOWN]]
        return "\n".join([*self._head(), *shown, *self._foot()])

    def _repr_html_(self) -> str:
        head = "<br>".join(escape(line) for line in self._head())
        if not self.findings:
            return f"<p>{head}</p>"
        return _TABLE.format(
            head=head,
            names="".join(f"<th {_LEFT}>{name}</th>" for name in _COLUMNS),
            body="".join(_row(finding) for finding in self.findings[:_MOST_SHOWN]),
            foot="".join(self._foot()),
        )

    @property
    def is_sound(self) -> bool:
        """Whether there is no damage; remarks are none."""
        return not any(finding.is_damage for finding in self.findings)

    def _head(self) -> Iterator[str]:
        yield visible(f"{nearby(self.store)}: {self._verdict}. Checked: {self._checked}.")
        yield from (visible(f"Mended: {sentence}") for sentence in self.mended)

    @property
    def _verdict(self) -> str:
        damage = sum(finding.is_damage for finding in self.findings)
        remarks = len(self.findings) - damage
        found = f"{_counted(damage, 'fault')} found" if damage else "sound"
        return f"{found}, {_counted(remarks, 'remark')}" if remarks else found

    @property
    def _checked(self) -> str:
        pictures = f"{_counted(self.pictures, 'picture')} ({self.bytes / 1e6:.1f} MB)"
        return f"{pictures}, {_counted(self.lines, 'line')}, {_counted(self.calls, 'call')}"

    def _foot(self) -> tuple[str, ...]:
        more = len(self.findings) - _MOST_SHOWN
        return (f"and {more} more: see .findings",) if more > 0 else ()


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings by kind, damage first, then by file and call; what several calls say of one picture, once."""
    said: dict[tuple[int, str, str, str, str], Finding] = {}
    for each in sorted(findings, key=lambda finding: finding.call):
        call = "" if each.sha256 else each.call
        said.setdefault((_ORDER.index(each.kind), each.path, call, each.says, each.sha256), each)
    return tuple(said[place] for place in sorted(said))


def visible(text: str) -> str:
    """The text with everything that has no shape of its own as an escape: control characters, halves, wrong bytes."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _row(finding: Finding) -> str:
    cells = (finding.kind, finding.path, finding.call, finding.says, finding.repair)
    return f"<tr>{''.join(f'<td {_LEFT}>{escape(visible(cell))}</td>' for cell in cells)}</tr>"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
