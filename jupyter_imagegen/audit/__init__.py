"""The store against its own journal: what is missing, altered, orphaned or torn, and the repair of what is safe.

    findings   what was found, as text and as a table
    lines      the bytes of one segment -> its lines, and those that cannot be read
    calls      the lines of all segments against each other
    files      the files of a store against the lines that name them
    survey     audit: all of it together
    repair     mend: what is safe to do about it

What is checked: every picture and reference picture against its line, what each call asked for against its request
hash, the form of every line, and that the lines of a call fit together. What stands in the journal alone cannot be:
times, prices, marks and tags, where a call came from, how it ended, and the words in which a provider was told it.
"""

from __future__ import annotations

from .findings import Finding, Report
from .repair import mend
from .survey import audit

__all__ = ["Finding", "Report", "audit", "mend"]
