"""Certificates of the local web's hosts: right, expired, signed by nobody, made out to somebody else."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from tests.fakes.web.site import host_of
from tests.fakes.web.table import BY_NAME

COPIES = 20
"""How many hosts of an encrypted page the certificates are made out to."""


def contexts(authority_file: Path) -> dict[str, ssl.SSLContext]:
    """Return what each encrypted port shows, and write the certificate of their authority to a file."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(authority_file))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    leaves = {
        "trusted": authority.issue_cert(*_hosts("tls-trusted")),
        "expired": authority.issue_cert(
            *_hosts("tls-expired"), not_before=yesterday - timedelta(days=90), not_after=yesterday
        ),
        "hostname": authority.issue_cert("elsewhere.example"),
    }
    made = {name: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for name in (*leaves, "self-signed")}
    for name, leaf in leaves.items():
        leaf.configure_cert(made[name])
    lonely = trustme.CA()
    with lonely.cert_pem.tempfile() as certificate, lonely.private_key_pem.tempfile() as key:
        made["self-signed"].load_cert_chain(certificate, key)
    return made


def _hosts(name: str) -> list[str]:
    index, _ = BY_NAME[name]
    return [host_of(index, copy) for copy in range(1, COPIES + 1)]
