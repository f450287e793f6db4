"""Where one call goes and which key goes with it, decided before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from .catalogue import CUSTOM, Catalogue, Model, Provider
from .errors import KeyInCell, KeyMisdirected, KeyMissing, SettingsError
from .keys import Secret
from .settings import Settings, Where, given

Lookup = Callable[[str], Secret | None]
"""Finds the key that is kept under the name of a variable."""

_USUAL_DIALECT: Final = "openai"
_TYPED: Final = 2  # the first levels: an option or an argument, and the traits
_FILES: Final = 3  # where the levels of the files begin

_GENERATIONS: Final = "/images/generations"
# `localhost:8080/v1` has no scheme; `http:/localhost` has one, and a slash too few.
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The address and model of one call, and one sentence for a choice that nobody made."""

    provider: Provider
    base_url: str
    model: Model
    note: str = ""
    is_own: bool = True
    """Whether the address is the provider's, by the catalogue or by who set it; one that was typed is anybody's."""
    is_recorded: bool = False
    """Whether only a record names the address: no key is even looked for then."""

    @property
    def vendor(self) -> str:
        """The provider whose prices hold."""
        return self.provider.name if self.is_own else CUSTOM

    @property
    def embedded(self) -> bool:
        """Whether the call stays inside this process."""
        return self.provider.embedded and self.base_url == self.provider.base_url

    @property
    def dialect(self) -> str:
        """The provider's own, else the model's: behind a gateway, a model is asked as its maker asks it."""
        return self.provider.dialect or self.model.dialect or _USUAL_DIALECT


@dataclass(frozen=True, slots=True)
class _Address:
    provider: Provider
    base_url: str
    note: str = ""
    is_own: bool = True
    is_recorded: bool = False


def resolve(typed: Where, settings: Settings, environ: Mapping[str, str], catalogue: Catalogue) -> Endpoint:
    """Choose by option > %config > environment > the project's file > the person's file > catalogue.

    Raises SettingsError for an unknown provider or a URL that is none, KeyInCell for a URL with a password in it.
    """
    files = tuple(Where(provider=layer.provider, model=layer.model) for layer in reversed(catalogue.layers))
    levels = (typed, settings.traits, settings.environment, *files)
    address = _address(levels, environ, catalogue)
    named = next((level.model for level in levels if level.model), None) or address.provider.default_model
    return Endpoint(
        provider=address.provider,
        base_url=address.base_url,
        model=catalogue.model(address.provider, named),
        note=address.note,
        is_own=address.is_own,
        is_recorded=address.is_recorded,
    )


def key_for(endpoint: Endpoint, environment: Where, environ: Mapping[str, str], find: Lookup) -> Secret | None:
    """The key whose origins hold this address; a key is never stretched to an address that was only typed.

    Raises KeyMissing where the provider needs a key and none is set, KeyMisdirected where its key belongs elsewhere.
    """
    provider, target = endpoint.provider, origin(endpoint.base_url)
    if endpoint.is_recorded:
        return None
    homes = () if provider.name == CUSTOM else tuple(_own_origins(provider, environment, environ))
    # A keyring may ask its owner and Colab takes seconds: they are asked only for a key that could go there.
    if target in homes and not endpoint.embedded and (own := find(provider.key_variable)) is not None:
        return own
    if target == _shared_home(endpoint, environment) and (shared := find("IMAGEGEN_API_KEY")) is not None:
        return shared
    if provider.name != CUSTOM and not endpoint.embedded:
        _explain_no_key(provider, target, homes, is_set=bool(given(environ.get(provider.key_variable))))
    return None


@lru_cache(maxsize=64)
def origin(url: str) -> str:
    """Scheme, host and port, the port always there. Raises SettingsError when the URL has none."""
    try:
        parts = urlsplit(url)
        usual = {"http": 80, "https": 443}[parts.scheme]
        port = usual if parts.port is None else parts.port
    except (KeyError, ValueError):
        raise _no_address(url) from None
    return f"{parts.scheme}://{parts.hostname}:{port}"


@lru_cache(maxsize=64)
def normalised(url: str, usual_path: str = "/v1") -> str:
    """The base URL as it is recorded: without the endpoint's own path, and with the usual path where there was none.

    Raises KeyInCell for a URL with a user, password or query in it, SettingsError for one that is none.
    """
    if " " in url or not url.isprintable():
        message = "A base URL has no spaces or control characters in it."
        raise SettingsError(message)
    try:
        parts = urlsplit(url if _SCHEME.match(url) else f"{_usual_scheme(url)}://{url}")
    except ValueError:
        # The text is not repeated: what cannot be taken apart may hold a password.
        message = "The base URL is not an http or https address: the host cannot be read."
        raise SettingsError(message) from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        message = "A base URL is an address only: no user, password, query or fragment."
        raise KeyInCell(message)
    if not parts.hostname:
        raise _no_address(url)
    origin(urlunsplit(parts))
    path = parts.path.rstrip("/")
    base = path.removesuffix(_GENERATIONS) if path.endswith(_GENERATIONS) else path or usual_path
    return urlunsplit((parts.scheme, parts.netloc, base, "", ""))


def _usual_scheme(url: str) -> str:
    return "http" if re.match(r"(localhost|127(\.\d+){3}|\[::1\])(?=[:/]|$)", url) else "https"


def _no_address(url: str) -> SettingsError:
    # With an @ in it, it may hold a password.
    message = f"{'The base URL' if '@' in url else repr(url)} is not an http or https address."
    return SettingsError(message)


def _address(levels: tuple[Where, ...], environ: Mapping[str, str], catalogue: Catalogue) -> _Address:
    """The first level that names a provider or an address decides both, so that no two levels are mixed."""
    for level in levels:
        if level.provider == CUSTOM and level.base_url is None:
            message = "The provider custom is any endpoint at all: say which with --base-url."
            raise SettingsError(message)
        if level.provider not in (None, CUSTOM):
            provider = catalogue.provider(level.provider)
            url = _of(provider, level.base_url or _own_url(provider, environ))
            is_named = level in levels[:_TYPED] and level.base_url is not None and level.base_url != provider.base_url
            note = _named_in(level, levels, provider)
            return _Address(provider, url, note, is_own=not is_named, is_recorded=level.is_recorded)
        if level.base_url is not None:
            url = normalised(level.base_url)
            return _Address(Provider(name=CUSTOM, base_url=url), url, is_recorded=level.is_recorded)
    return _by_default(environ, catalogue)


def _named_in(level: Where, levels: tuple[Where, ...], provider: Provider) -> str:
    """A sentence for a provider that only a file names: it may be one that came with the notebook."""
    return f"provider {provider.name}, named in imagegen.toml" if level in levels[_FILES:] else ""


def _by_default(environ: Mapping[str, str], catalogue: Catalogue) -> _Address:
    openai = catalogue.provider("openai")
    if given(environ.get(openai.key_variable)):
        return _Address(
            openai, _of(openai, _own_url(openai, environ)), "provider openai, because OPENAI_API_KEY is set"
        )
    sketch = catalogue.provider("sketch")
    return _Address(sketch, sketch.base_url, f"painted by the embedded endpoint sketch: {_unused(environ, catalogue)}")


def _unused(environ: Mapping[str, str], catalogue: Catalogue) -> str:
    """Why nothing else was asked, with what is set and was not enough."""
    if given(environ.get("IMAGEGEN_API_KEY")):
        return "IMAGEGEN_API_KEY is set, but no base URL"
    for row in catalogue.providers:
        for variable in (row.key_variable, row.url_variable):
            if given(environ.get(variable)):
                return f"{variable} is set, and -p {row.name} would use it"
    return "no provider or key is set"


def _of(provider: Provider, url: str) -> str:
    """The address of a provider. Raises SettingsError where each customer has one of their own and none is set."""
    if not url:
        message = (
            f"{provider.name} has no address that is the same for everyone, and {provider.url_variable} is not set."
        )
        raise SettingsError(
            message, f"Set {provider.url_variable}, or base_url in your imagegen.toml. Nothing was sent."
        )
    return normalised(url, provider.usual_path)


def _own_url(provider: Provider, environ: Mapping[str, str]) -> str:
    return given(environ.get(provider.url_variable)) or provider.base_url


def _shared_home(endpoint: Endpoint, environment: Where) -> str | None:
    """Where IMAGEGEN_API_KEY may go: to the address that the environment names, else to one that was typed."""
    if environment.base_url:
        return origin(normalised(environment.base_url))
    return origin(endpoint.base_url) if endpoint.provider.name == CUSTOM else None


def _own_origins(provider: Provider, environment: Where, environ: Mapping[str, str]) -> Iterator[str]:
    if provider.home:
        yield origin(normalised(provider.home))
    if url := given(environ.get(provider.url_variable)):
        yield origin(normalised(url))
    if environment.provider == provider.name and environment.base_url:
        yield origin(normalised(environment.base_url))


def _explain_no_key(provider: Provider, target: str, homes: tuple[str, ...], *, is_set: bool) -> None:
    if target not in homes and (is_set or provider.needs_key):
        belongs = f"belongs to {homes[0]}, not to {target}" if homes else f"belongs to no address, so not to {target}"
        message = f"The key of {provider.name} {belongs}. Nothing was sent."
        raise KeyMisdirected(
            message,
            f"If {target} is where it belongs, set {provider.url_variable} in the environment or name it in your own "
            "imagegen.toml; for another endpoint give --base-url without --provider.",
        )
    if provider.needs_key:
        message = f"{provider.name} needs a key, and {provider.key_variable} is not set. Nothing was sent."
        hint = f"Set {provider.key_variable} before the kernel starts, or try -p sketch, which needs none."
        raise KeyMissing(message, hint)
