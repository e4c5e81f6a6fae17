"""The listening socket of the API, opened before anything else is started."""

import errno
import socket

from kit.errors import Unavailable

BACKLOG = 2_048
_REASONS = {
    errno.EADDRINUSE: "is in use by another program; stop that one or set GRAPHMARK_PORT",
    errno.EACCES: "may not be opened by this user; set GRAPHMARK_PORT to 1024 or more",
    errno.EADDRNOTAVAIL: "cannot be opened because the address is not this machine's; set GRAPHMARK_HOST",
}


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes any free one. Raises `Unavailable` saying what to do."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise Unavailable(f"GRAPHMARK_HOST={host} is no address of this machine: {error.strerror}.") from error
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, f"cannot be opened: {error.strerror}")
        raise Unavailable(f"Port {port} on {host} {reason}.") from error
