"""Reply: what came back for one POST, before anyone has read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

# In the order of preference (images-api.md of the providers: OpenAI, Azure, one-api and new-api, LiteLLM, Cloudflare).
_REQUEST_ID_HEADERS: Final = (
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-oneapi-request-id",
    "x-api-request-id",
    "x-litellm-call-id",
    "cf-ray",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Status, headers (names in lower case) and the whole body of one answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    base_url: str = ""

    def header(self, name: str) -> str:
        """The first value of a header, or an empty text."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def request_id(self) -> str:
        """The id under which the provider can find this request, or an empty text."""
        return next((self.header(name) for name in _REQUEST_ID_HEADERS if self.header(name)), "")
