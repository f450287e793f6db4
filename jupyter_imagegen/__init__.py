"""Generate images from notebook cells against any OpenAI-compatible endpoint, and keep a history of each.

    %load_ext jupyter_imagegen

gives `%%imagegen`; `generate`, `agenerate` and `history` do the same from Python. Everything is loaded when it is
first used, so that loading the extension costs a few milliseconds.

The modules, in the order of their imports; each uses only those above it:

    shell        the IPython shell that this runs in, if any
    nearest      "Did you mean …?"
    errors       the tree of everything that is raised
    keys         a key that never prints, and the scrubbing of texts
    edge         how errors leave this package
    keychain     where a key comes from
    traits       %config
    settings     %config and the environment
    switches     the table of options
    line         one line of text -> options with their values
    image        bytes -> Image: format, size, digest
    divert       the body of an answer -> the same without its long pictures, while it arrives
    blobs        files that are whole or absent
    references   what --image was given -> Reference
    options      a cell, a line or a call -> Options: what was asked
    catalogue    providers and models as data
    config       the catalogue with a person's own imagegen.toml over it
    limits       what a model is documented to refuse
    fields       a model's row -> the fields of a form
    draft        what stands in a form <-> Options
    celltext     Options -> the cell that asks for the same
    endpoint     Options × settings × catalogue -> Endpoint, and the key that may go there
    multipart    fields and pictures -> multipart/form-data
    dialects     how each family of servers spells a request
    reply        what came back for one POST
    cost         what a call will cost, and what it did
    request      Options × Endpoint -> ImageRequest: body, fan-out, fingerprint
    plan         what a dry run shows
    complaint    an error body -> a Complaint
    rejection    a Reply that is no success -> one error
    retry        what is sent again, and what never is
    events       the bytes of an event stream -> events
    shapes       where the pictures are in JSON of any shape
    payload      base64 and data: URIs -> bytes
    delivery     what an answer brought: pictures, previews, orders, errors
    answer       a Reply that is a success -> the pictures in it
    journal      the append-only log
    threads      threads that live as long as the process
    disk         what a session writes to its store, off the HTTP loop
    spill        a picture that grows while it arrives
    marks        what was said of a call afterwards
    tombstone    what stays of a forgotten call
    process      whether the writer of a log still lives
    collector    the garbage collector, held off while much is made
    told         lines, sorted by the call that they tell of
    reading      a segment, read on from where it was left
    records      the log -> Records
    recall       which record stands in for a request
    audit        what is missing, altered or torn in a store
    difference   what one request asks for that another does not
    mismatch     what came against what was asked
    bill         what the calls of a history cost together
    gallery      Records -> cards: found, paged, and told in words
    sight        a preview of a picture that is being painted
    lately       what was made small lately
    preview      small pictures for the notebook
    drift        how far apart two pictures are
    display      Results and progress as mimebundles
    result       Result and Picture: what a call gives
    place        the notebook and cell that a call comes from
    ask          Ask: one order, with everything decided
    sketch       the embedded endpoint, which uses nothing of the rest
    embedded     one request to it, in this process
    order        Order: one POST, ready to be sent
    address      from where a picture may be fetched
    wire         one request over a connection of its own
    transport    ways that a request goes
    client       one POST, its answer, and downloads
    entry        the line of a call that is about to be made
    ending       how a call ended -> its last line in the journal
    arrival      an answer while it arrives
    keeping      the pictures of a call on their way into the store
    call         one call: its line, its POST, its pictures, its end
    session      generate: one Ask -> its calls
    bridge       the thread of the HTTP loop, and a Job for each Ask
    cells        which cell is running, and the guard behind it
    lookup       what --image names -> the pictures themselves
    steps        what of an ask is sent, and what records stand in for
    offline      an ask answered from records alone
    prepare      Options -> Ask
    foresee      what a call will be, while it is still being written
    frozen       JSON values that cannot be changed
    columns      Records -> the columns of the dataframe
    frame        Records -> the dataframe
    frames       the same again, with only what changed made anew
    listing      the catalogue as a table
    exports      what was made, in forms that others can take
    which        what a person names a call by -> its record
    again        a record and what is to be changed -> Options
    erase        forgetting a call
    archive      history, spent, replay, compare, verify, rate, tag, note, forget, export
    api          generate, agenerate, rerun
    widgets      the panel: a form, its jobs, the gallery
    completion   what Tab offers
    tab          Tab
    questions    prompts that end in `?`
    magic        %%imagegen
    extension    what %load_ext adds
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .api import agenerate, generate, rerun
    from .archive import compare, export, forget, history, note, rate, replay, spent, tag, untag, verify
    from .errors import ImageGenError, Refused
    from .records import Record
    from .result import Picture, Result
    from .widgets import panel

__version__ = "0.1.0"

_HOMES = {
    "ImageGenError": "errors",
    "Picture": "result",
    "Record": "records",
    "Refused": "errors",
    "Result": "result",
    "agenerate": "api",
    "compare": "archive",
    "export": "archive",
    "forget": "archive",
    "generate": "api",
    "history": "archive",
    "note": "archive",
    "panel": "widgets",
    "rate": "archive",
    "replay": "archive",
    "rerun": "api",
    "spent": "archive",
    "tag": "archive",
    "untag": "archive",
    "verify": "archive",
}

__all__ = [
    "ImageGenError",
    "Picture",
    "Record",
    "Refused",
    "Result",
    "agenerate",
    "compare",
    "export",
    "forget",
    "generate",
    "history",
    "note",
    "panel",
    "rate",
    "replay",
    "rerun",
    "spent",
    "tag",
    "untag",
    "verify",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (each name has its own type)
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__", "load_ipython_extension", "unload_ipython_extension"])


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the magics, their completion and the settings to a shell."""
    from .extension import load  # noqa: PLC0415

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take them away again."""
    from .extension import unload  # noqa: PLC0415

    unload(shell)
