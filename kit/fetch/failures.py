"""What an error of the network means, in words that hold nothing of what the other side sent."""

import errno
import ssl
from typing import Final

from kit.errors import Unavailable
from kit.fetch.answers import Failure
from kit.fetch.wire import MalformedError

_WORDS: Final = {
    Failure.CONNECTION_REFUSED: "The server refused the connection.",
    Failure.CONNECTION_RESET: "The server closed the connection before it had answered.",
    Failure.UNREACHABLE: "The server cannot be reached.",
    Failure.TIMEOUT: "The server did not answer in time.",
    Failure.TLS_EXPIRED: "The server's certificate is not valid today.",
    Failure.TLS_HOSTNAME: "The server's certificate belongs to another name.",
    Failure.TLS_SELF_SIGNED: "The server's certificate was not issued by an authority that is trusted.",
    Failure.TLS_PROTOCOL: "No secure connection to the server came about.",
    Failure.BAD_RESPONSE: "The server's answer could not be read.",
}
# X509_V_ERR_… of OpenSSL's x509_vfy.h
_CERTIFICATE: Final = {
    9: Failure.TLS_EXPIRED,  # not yet valid
    10: Failure.TLS_EXPIRED,
    18: Failure.TLS_SELF_SIGNED,
    19: Failure.TLS_SELF_SIGNED,  # in the chain
    20: Failure.TLS_SELF_SIGNED,  # no issuer that is known
    21: Failure.TLS_SELF_SIGNED,  # the leaf cannot be verified
    27: Failure.TLS_SELF_SIGNED,  # the root is not trusted
    62: Failure.TLS_HOSTNAME,
    64: Failure.TLS_HOSTNAME,  # the IP address differs
}
_OUR_OWN: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


_KINDS: Final = (
    (MalformedError, Failure.BAD_RESPONSE),
    (TimeoutError, Failure.TIMEOUT),
    (ssl.SSLError, Failure.TLS_PROTOCOL),
    (ConnectionRefusedError, Failure.CONNECTION_REFUSED),
    (ConnectionError, Failure.CONNECTION_RESET),
)


def classify(error: OSError | MalformedError) -> tuple[Failure, str]:
    """Return which failure an error is, and how it is told.

    Raises `Unavailable` where this machine lacks something: that says nothing about the address.
    """
    if isinstance(error, OSError) and error.errno in _OUR_OWN:
        raise Unavailable("This server has no room for another connection; try again later.") from error
    failure = next((failure for kind, failure in _KINDS if isinstance(error, kind)), Failure.UNREACHABLE)
    if isinstance(error, ssl.SSLCertVerificationError):
        failure = _CERTIFICATE.get(error.verify_code, failure)
    return failure, _WORDS[failure]
