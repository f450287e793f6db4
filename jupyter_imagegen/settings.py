"""What a person set for the whole session: traits (`%config ImageGen.…`, a config file), then the environment."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from traitlets import Bool, Enum, Float, TraitError, Unicode, validate
from traitlets.config import SingletonConfigurable

from .errors import SettingsError
from .shell import running_shell

INLINE: Final = ("preview", "full", "none")
MODES: Final = ("live", "cache", "replay")
DEFAULT_TIMEOUT_S: Final = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The provider, address and model that one level names: an option line, the traits or the environment."""

    provider: str | None = None
    base_url: str | None = None
    model: str | None = None
    is_recorded: bool = False
    """Whether only a record says so, which may be somebody else's: no key goes to such an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A photograph of the settings at the moment of a call."""

    traits: Where
    environment: Where
    store: Path
    inline: str
    mode: str
    timeout_s: float
    notebook: str | None
    project: Path
    """The folder beside the notebook: where the kernel started."""
    person: Path
    """Jupyter's folder for the configuration of this person."""


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
        message = "The current folder was removed, so there is no place for the store."
        raise SettingsError(message, "Go to a folder that exists, or set IMAGEGEN_STORE to a whole path.") from None


def photograph(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings as they are now. Raises SettingsError for an environment variable that cannot be meant."""
    traits = ImageGen.instance(parent=running_shell())
    return Settings(
        traits=Where(provider=given(traits.provider), base_url=given(traits.base_url), model=given(traits.model)),
        environment=Where(
            provider=given(environ.get("IMAGEGEN_PROVIDER")),
            base_url=given(environ.get("IMAGEGEN_BASE_URL")),
            model=given(environ.get("IMAGEGEN_MODEL")),
        ),
        store=_folder(traits, environ),
        inline=traits.inline,
        mode=traits.mode or _mode(given(environ.get("IMAGEGEN_MODE"))),
        timeout_s=traits.timeout,
        notebook=given(traits.notebook),
        project=traits.started_in,
        person=Path(given(environ.get("JUPYTER_CONFIG_DIR")) or "~/.jupyter"),
    )


def given(value: str | None) -> str | None:
    """The value without blanks around it (`cat` leaves a line break); None for one that is empty: it sets nothing."""
    return value.strip() or None if value else None


def _mode(named: str | None) -> str:
    if named is not None and named not in MODES:
        message = f"IMAGEGEN_MODE is {named!r}, and not {', '.join(MODES[:-1])} or {MODES[-1]}."
        raise SettingsError(message)
    return named or MODES[0]


def _folder(traits: ImageGen, environ: Mapping[str, str]) -> Path:
    named = given(traits.store) or given(environ.get("IMAGEGEN_STORE")) or "imagegen"
    try:
        return traits.started_in / Path(named).expanduser()
    except RuntimeError:
        message = f"The store {named!r} names a home directory that does not exist."
        raise SettingsError(message) from None
