"""Which addresses a request may reach: those of the open internet, and hosts that the user allows by name.

A card's links are untrusted. A name may point at this machine, at a neighbour or at a cloud's metadata service, and its answer may
change between the look and the request, so the address that was looked at is the one that is connected to.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


class BlockedError(OSError):
    """The address is none that a request may reach."""


def is_open(address: Address) -> bool:
    """Tell whether an address lies in the open internet, also where it stands for another one inside it."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in NAT64:
            inside.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if any(one is not None and not is_open(one) for one in inside):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def choose(host: str, port: int, allowed: Collection[str] = ()) -> str:
    """Return the address to connect to for a host: the first of its addresses, all of which must be open.

    Raises BlockedError where one of them is not and the host is not allowed by name, OSError where the name cannot be looked up.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if host.lower() not in allowed:
        # one private address among many is enough: which of them is used must not be left to chance
        closed = next((address for address in addresses if not is_open(ipaddress.ip_address(address))), None)
        if closed:
            raise BlockedError(f"{host} has the address {closed}, which is not of the open internet")
    return addresses[0]
