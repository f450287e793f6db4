"""From which addresses a picture may be fetched: a server may not send this machine into its own network."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from .endpoint import Endpoint, origin
from .errors import DownloadFailed

Addresses = tuple[str, ...]

BY_NAME: Final[Addresses] = ()
"""The name is left to whoever connects: the API's own host, or a proxy."""


async def looked_up(url: str, endpoint: Endpoint) -> Addresses:
    """The IP addresses that this URL may be fetched from; none for one that is connected to by its name.

    The connection goes to one of these, and not to what the name says a moment later (DNS rebinding). Raises
    DownloadFailed for one in a private network that is not the API's own host, gaierror where the host has no address,
    ValueError for a host or a port that cannot be.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = "The picture's URL is not an http or https address."
        raise DownloadFailed(message)
    own, port = urlsplit(endpoint.base_url).hostname or "", parts.port
    if endpoint.embedded or parts.hostname == own or _is_left_to_a_proxy(parts.scheme, parts.hostname):
        return BY_NAME
    found = await _addresses(parts.hostname, port)
    inside = {address for address in found if not ipaddress.ip_address(address).is_global}
    if inside and not inside <= set(await _addresses(own, None)):
        home = origin(endpoint.base_url)
        message = f"The picture's URL points into a private network ({parts.hostname}), not to {home}."
        raise DownloadFailed(message)
    return found


def _is_left_to_a_proxy(scheme: str, host: str) -> bool:
    """Whether a proxy looks up this name, which this machine may not even know; an address is never left to one."""
    proxies = getproxies()
    has_proxy = bool(proxies.get(scheme) or proxies.get("all")) and not proxy_bypass(host)
    return has_proxy and host != "localhost" and not _is_number(host)


def _is_number(host: str) -> bool:
    """Whether this is an address and no name, also in the spellings that only a resolver understands (0x7f000001)."""
    return ":" in host or re.fullmatch(r"(0x[0-9a-fA-F]*|\d+)(\.(0x[0-9a-fA-F]*|\d+))*", host) is not None


async def _addresses(host: str, port: int | None) -> Addresses:
    """The IP addresses of a host. Raises gaierror when there are none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port)
    return tuple(dict.fromkeys(str(address[0]).split("%")[0] for *_, address in found))
