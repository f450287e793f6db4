"""What a person sets for the whole session with `%config ImageGen.…` or in a config file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

from traitlets import Bool, Enum, Float, TraitError, Unicode, validate
from traitlets.config import SingletonConfigurable

INLINE: Final = ("preview", "full", "none")
MODES: Final = ("live", "cache", "replay")
DEFAULT_TIMEOUT_S: Final = 900.0


class ImageGen(SingletonConfigurable):
    """The settings of jupyter-imagegen; a key is never one of them."""

    provider = Unicode(help="A provider of the catalogue, for example openai.").tag(config=True)
    base_url = Unicode(help="The address of any OpenAI-compatible endpoint, up to and with /v1.").tag(config=True)
    model = Unicode(help="The model that is asked when a call names none.").tag(config=True)
    store = Unicode(help="The folder for pictures and journals (default: imagegen, where the kernel started).").tag(
        config=True
    )
    inline = Enum(INLINE, "preview", help="What goes into the notebook: preview, full or none.").tag(config=True)
    mode = Enum(
        ("", *MODES),
        "",
        help="live (the default) asks the endpoint; cache shows the record of the same request where there is one; "
        "replay shows records only, and never connects.",
    ).tag(config=True)
    timeout = Float(DEFAULT_TIMEOUT_S, help="Seconds that one call may take in all.").tag(config=True)
    notebook = Unicode(help="The name of this notebook, where it cannot be found out.").tag(config=True)
    nested_loops = Bool(
        default_value=False, help="Make asyncio.run(ig.agenerate(...)) legal in a cell (nest-asyncio2)."
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401  (traitlets' own signature)
        # Fixed once: a later os.chdir() must not split one notebook's history over two folders.
        self.started_in = _current_folder()
        super().__init__(**kwargs)

    @validate("timeout")
    def _positive(self, proposal: Any) -> float:  # noqa: ANN401  (traitlets' own signature)
        if not 0 < proposal["value"] < math.inf:
            message = "ImageGen.timeout is a number of seconds above 0"
            raise TraitError(message)
        return float(proposal["value"])

    @validate("nested_loops")
    def _nest(self, proposal: Any) -> bool:  # noqa: ANN401  (traitlets' own signature)
        if not proposal["value"]:
            if self.nested_loops:
                message = "What nested_loops did to asyncio cannot be undone: restart the kernel to be without it."
                raise TraitError(message)
            return False
        import nest_asyncio2  # noqa: PLC0415  (patches asyncio: only for those who ask for it)

        nest_asyncio2.apply()
        return True


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:
        from .errors import SettingsError  # noqa: PLC0415  (loaded by the first error)

        message = "The current folder was removed, so there is no place for the store."
        raise SettingsError(message, "Go to a folder that exists, or set IMAGEGEN_STORE to a whole path.") from None
