"""Where keys and prompts may go without encryption: to this machine, and to private addresses that the user names."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from aigw.errors import ConfigError


def check_plain(url: str, *, allowed: bool) -> None:
    """Refuse a URL without TLS that leaves this machine, unless it is allowed and its address is not a public one.

    Args:
        url: where calls go; what is no ``http:`` URL passes.
        allowed: the user wants it so.

    Raises:
        ConfigError: it is refused; says what to do.
    """
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme != "http" or not host or host == "localhost" or host.endswith(".localhost"):
        return
    try:
        address = ip_address(host)
    except ValueError:
        address = None  # a name, which may stand for anything: the user knows
    if address is not None and address.is_loopback:
        return
    if address is not None and not address.is_private and not address.is_link_local:
        raise ConfigError(f"Target({url!r}): a public address must be asked with https")
    if not allowed:
        raise ConfigError(
            f"Target({url!r}): keys and prompts would leave this machine unencrypted; use https, "
            "or say plain_http=True if it is in a network of your own"
        )
