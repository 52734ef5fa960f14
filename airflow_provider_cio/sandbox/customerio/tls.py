"""A local certificate authority, for clients that insist on https."""

from __future__ import annotations

from pathlib import Path

import trustme

CA = "ca.pem"
KEY = "ca.key"
SERVER = "server.pem"


def ensure(folder: Path, host: str) -> None:
    """Write ``ca.pem`` (give it to clients), its key, and a fresh server certificate for ``host``."""
    certificate, key = folder / CA, folder / KEY
    if certificate.exists() and key.exists():
        authority = trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    else:
        authority = trustme.CA(organization_name="Customer.io sandbox")
        _write_secret(key, authority.private_key_pem.bytes())
        certificate.write_bytes(authority.cert_pem.bytes())
    issued = authority.issue_cert(*dict.fromkeys((host, "127.0.0.1", "localhost")))
    _write_secret(folder / SERVER, issued.private_key_and_cert_chain_pem.bytes())


def _write_secret(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(content)
