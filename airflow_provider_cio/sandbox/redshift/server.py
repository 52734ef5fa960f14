"""The listening side: TLS, start-up as Redshift wants it, a thread per client."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import ssl
import struct
import threading

from airflow_provider_cio.sandbox.faults import Faults
from airflow_provider_cio.sandbox.postgres import USER
from airflow_provider_cio.sandbox.redshift import wire
from airflow_provider_cio.sandbox.redshift.backend import Backend
from airflow_provider_cio.sandbox.redshift.s3io import S3
from airflow_provider_cio.sandbox.redshift.session import Session
from airflow_provider_cio.sandbox.redshift.wire import Message, Peer

log = logging.getLogger(__name__)
SERVER_VERSION = "8.0.2"
_DRIVER_KEYS = frozenset(
    {
        "client_protocol_version",
        "driver_version",
        "os_version",
        "driver_discovery_version",
        "plugin_name",
        "idp_type",
        "provider_name",
    }
)


class Server:
    """Accepts clients of the local Redshift and relays each to a backend of its own."""

    def __init__(
        self,
        listener: socket.socket,
        socket_folder: str,
        *,
        user: str,
        password: str,
        s3: S3,
        faults: Faults,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._listener = listener
        self._socket_folder = socket_folder
        self._user = user
        self._password = password
        self._s3 = s3
        self._faults = faults
        self._tls = tls
        self._clients: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closing, self._close = socket.socketpair()
        self._accepting = threading.Thread(target=self._accept, name="redshift-accept", daemon=True)

    def start(self) -> None:
        self._accepting.start()

    def stop(self) -> None:
        """Hang up on every client."""
        self._close.close()
        self._accepting.join()
        with self._lock:
            for client in self._clients:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._closing.close()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            ready, _, _ = select.select([self._listener, self._closing], [], [])
            if self._closing in ready:
                return
            client, _ = self._listener.accept()
            thread = threading.Thread(
                target=self._serve, args=(client,), name="redshift-session", daemon=True
            )
            with self._lock:
                self._clients.add(client)
                self._threads = [known for known in self._threads if known.is_alive()] + [thread]
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        backend: Backend | None = None
        secured = client
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer, parameters = self._greet(client)
            if peer is None or parameters is None:
                return
            secured = peer.sock
            with self._lock:
                self._clients.add(secured)
            if self._authenticated(peer, parameters):
                backend = Backend(self._socket_folder)
                if self._begun(peer, backend, parameters):
                    Session(peer, backend, self._s3, self._faults).relay()
        except (EOFError, OSError):
            log.debug("a client is gone")
        except Exception as error:
            log.exception("a session failed")
            with contextlib.suppress(OSError):
                reason = f"The local Redshift failed: {type(error).__name__}. Next step: read its log."
                Peer(secured).send(wire.failure(reason, "XX000", "FATAL"))
        finally:
            with self._lock:
                self._clients -= {client, secured}
            for sock in (secured, backend.sock if backend else None):
                if sock is not None:
                    sock.close()

    def _greet(self, client: socket.socket) -> tuple[Peer | None, dict[str, str] | None]:
        peer = Peer(client)
        while True:
            code, body = peer.startup()
            if code == wire.SSL_REQUEST:
                if self._tls is None:
                    client.sendall(b"N")
                else:
                    client.sendall(b"S")
                    peer = Peer(self._tls.wrap_socket(client, server_side=True))
            elif code == wire.GSS_REQUEST:
                client.sendall(b"N")
            elif code == wire.CANCEL_REQUEST:
                self._cancel(body)
                return None, None
            else:
                return peer, wire.parameters(body)

    def _cancel(self, body: bytes) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.connect(f"{self._socket_folder}/.s.PGSQL.5432")
            sock.sendall(struct.pack("!ii", 16, wire.CANCEL_REQUEST) + body)

    def _authenticated(self, peer: Peer, parameters: dict[str, str]) -> bool:
        """Cleartext: the driver refuses SCRAM, and this is loopback."""
        peer.send(Message(b"R", struct.pack("!i", 3)))
        answer = peer.message()
        user = parameters.get("user", "")
        if (user, answer.body.rstrip(b"\0").decode()) == (self._user, self._password):
            return True
        peer.send(wire.failure(f'password authentication failed for user "{user}"', "28000", "FATAL"))
        return False

    def _begun(self, peer: Peer, backend: Backend, parameters: dict[str, str]) -> bool:
        """Pass on how PostgreSQL begins the session, unless it refuses."""
        kept = {name: value for name, value in parameters.items() if name not in _DRIVER_KEYS}
        backend.sock.sendall(wire.startup_packet(kept | {"user": USER}))
        while True:
            message = backend.message()
            backend.see(message)
            if message.kind == b"S" and message.body.startswith(b"server_version\0"):
                message = Message(b"S", wire.text("server_version") + wire.text(SERVER_VERSION))
            peer.send(message)
            if message.kind in {b"E", b"Z"}:
                return message.kind == b"Z"
