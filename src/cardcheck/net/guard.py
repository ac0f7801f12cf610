"""Which addresses a request may reach: those of the open internet, and hosts that the user allows by name.

A card's links are untrusted. A name may point at this machine, at a neighbour or at a cloud's metadata service, and its answer may
change between the look and the request, so the addresses that were looked at are the ones that are connected to.

Behind a proxy it is the proxy that looks names up and connects. Then only what the name says by itself can be refused: a literal
address in any spelling, and names that are never of the open internet. Whether another name has a private address on the proxy's side
cannot be known here; a proxy that reaches internal hosts has to refuse them itself.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
# What Python's tables (of some versions) count as global, and nothing of the open web answers at.
CLOSED = tuple(
    ipaddress.ip_network(one)
    for one in (
        "168.63.129.16/32",  # Azure's metadata, at a public address
        "192.0.0.0/24",  # RFC 6890; Oracle's metadata is 192.0.0.192
        "192.88.99.0/24",  # RFC 7526: 6to4, as the next one
        "2002::/16",
        "2001::/32",  # Teredo
        "64:ff9b:1::/48",  # RFC 8215: a translation of the local network's own
    )
)
LOCAL_NAMES = ("localhost", "local", "internal", "lan", "home.arpa")  # RFC 6761, 6762, 8375; `internal` is kept free by ICANN


NO_SUCH_NAME = {getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)}


class BlockedError(OSError):
    """The address is none that a request may reach."""


class UnknownHostError(OSError):
    """There is no host of the name."""


def is_open(address: Address) -> bool:
    """Tell whether an address lies in the open internet; one that stands for another one is judged by that."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_open(address.ipv4_mapped)
        if address in NAT64:
            return is_open(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if any(address in network for network in CLOSED):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_allowed(host: str, port: int, allowed: Collection[str]) -> bool:
    """Tell whether the user allows a host, by its name or as `name:port`."""
    return host.lower() in allowed or f"{host.lower()}:{port}" in allowed


def look_up(host: str, port: int, allowed: Collection[str] = ()) -> list[str]:
    """Return the addresses to connect to for a host, all of which must be open.

    Raises BlockedError where one of them is not and the host is not allowed by name, UnknownHostError where there is no such host, and
    another OSError where the name cannot be looked up now.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise UnknownHostError(f"{host[:100]} is no name of a host") from None
    except socket.gaierror as error:
        kind = UnknownHostError if error.errno in NO_SUCH_NAME else OSError
        raise kind(f"{host} cannot be looked up: {error.strerror}") from None
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    if not is_allowed(host, port, allowed):
        # one private address among many is enough: which of them is used must not be left to chance
        closed = next((address for address in addresses if not is_open(ipaddress.ip_address(address))), None)
        if closed:
            raise BlockedError(f"{host} has the address {closed}, which is not of the open internet")
    return addresses


def check_name(host: str, port: int, allowed: Collection[str] = ()) -> None:
    """Raise BlockedError where a name that a proxy will look up cannot be of the open internet, as far as the name tells."""
    if is_allowed(host, port, allowed):
        return
    address, name = literal(host), host.lower().rstrip(".")
    if address is not None and not is_open(address):
        raise BlockedError(f"{host} is the address {address}, which is not of the open internet")
    if address is None and ("." not in name or name.endswith(tuple(f".{local}" for local in LOCAL_NAMES))):
        raise BlockedError(f"{host} is a name of a local network")


def literal(host: str) -> Address | None:
    """Return the address that a host is, in whatever spelling (`127.1`, `0x7f.1`, `2130706433`); None for a name."""
    plain = host.strip("[]").rstrip(".").partition("%")[0]
    try:
        return ipaddress.ip_address(plain)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(plain))
    except (OSError, UnicodeError):
        return None
