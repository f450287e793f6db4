"""The settings at one moment: traits (`%config ImageGen.…`, a config file), then the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import SettingsError
from .shell import running_shell
from .traits import MODES, ImageGen

__all__ = ["MODES", "ImageGen", "Settings", "Where", "given", "photograph"]


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
