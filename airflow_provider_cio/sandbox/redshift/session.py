"""One client's conversation: what passes untouched, what is rewritten, what the proxy does itself."""

from __future__ import annotations

import contextlib
import select
from dataclasses import dataclass, replace

from airflow_provider_cio.sandbox.faults import Faults
from airflow_provider_cio.sandbox.redshift import wire
from airflow_provider_cio.sandbox.redshift.backend import Backend, BackendError
from airflow_provider_cio.sandbox.redshift.requests import Requests
from airflow_provider_cio.sandbox.redshift.rewrite import Rewritten, SqlRefused, statements
from airflow_provider_cio.sandbox.redshift.s3io import S3
from airflow_provider_cio.sandbox.redshift.statements import NOTHING, Statements, is_plain, tag
from airflow_provider_cio.sandbox.redshift.super_values import SuperColumns
from airflow_provider_cio.sandbox.redshift.wire import Message, Peer

_SERIALISATION = "40001"
_CHECK = "23514"
_FLUSH = Message(b"H", b"")


@dataclass(frozen=True)
class _Prepared:
    """A statement that the client has parsed; ``run`` is the backend's count of own queries at that time."""

    sql: str
    rewritten: Rewritten
    parse: Message
    run: int


class Session:
    """Relay between a client and its backend until one of them hangs up."""

    def __init__(self, client: Peer, backend: Backend, s3: S3, faults: Faults) -> None:
        self._client = client
        self._faults = faults
        self._losing = False
        self._backend = backend
        self._statements = Statements(backend, s3)
        self._prepared: dict[str, _Prepared] = {}
        self._requests = Requests()
        self._skipping = False
        self._then: list[Rewritten] = []
        self._super = SuperColumns()

    def relay(self) -> None:
        """Run until the client or the backend is gone."""
        while True:
            ready, _, _ = select.select([self._client.sock, self._backend.sock], [], [])
            if self._backend.sock in ready:
                self._from_backend()
            if self._client.sock in ready:
                self._client.read()
            while arrived := self._client.complete():  # more may arrive while one of them is answered
                for message in arrived:
                    if message.kind == b"X":
                        return
                    self._from_client(message)

    def _from_client(self, message: Message) -> None:
        if self._skipping and message.kind != b"S":
            return
        match message.kind:
            case b"Q":
                self._settle()
                self._query(wire.split_text(message.body)[0])
            case b"P":
                self._parse(message)
            case b"B":
                self._bind(message)
            case _:
                self._skipping = False
                self._forward(message)

    def _forward(self, message: Message) -> None:
        self._requests.sent(message)
        self._backend.send(message)

    def _parse(self, message: Message) -> None:
        name, at = wire.split_text(message.body)
        sql, types = wire.split_text(message.body, at)
        self._settle()
        if self._skipping:
            return
        try:
            rewritten = self._statements.rewritten(sql)
        except SqlRefused as refusal:
            self._refuse(refusal)
            return
        text = NOTHING if rewritten.copy or rewritten.unload else rewritten.sql
        parse = Message(b"P", wire.text(name) + wire.text(text) + message.body[types:])
        self._prepared[name] = _Prepared(sql, rewritten, parse, self._backend.queries)
        self._forward(parse)

    def _bind(self, message: Message) -> None:
        _, at = wire.split_text(message.body)
        name, _ = wire.split_text(message.body, at)
        prepared = self._prepared.get(name)
        struck = self._struck(prepared.sql) if prepared is not None else None
        if prepared is not None and (struck or not is_plain(prepared.rewritten)):
            self._settle()
            if self._skipping:
                return
            try:
                self._report(self._statements.before(prepared.rewritten, struck))
            except SqlRefused as refusal:
                self._refuse(refusal)
                return
            self._then.append(prepared.rewritten)
        if prepared is not None and not name and prepared.run != self._backend.queries:
            self._backend.parse(prepared.parse)  # our own queries have removed the unnamed statement
        self._forward(message)

    def _query(self, script: str) -> None:
        """The simple protocol: statement by statement, up to the first that fails."""
        try:
            for sql in statements(script) or [""]:
                rewritten = self._statements.rewritten(sql)
                self._report(self._statements.before(rewritten, self._struck(sql)))
                bulk = rewritten.copy or rewritten.unload
                self._backend.send(wire.query(NOTHING if bulk else rewritten.sql))
                if not self._pass_on(tag(rewritten)):
                    break
                self._statements.after(rewritten)
        except SqlRefused as refusal:
            self._fail(refusal)
        except BackendError as error:
            self._client.send(wire.error(redshift_error(error.fields)))
        if self._losing:
            raise EOFError("a fault of the sandbox")
        self._client.send(Message(b"Z", self._backend.status.encode()))

    def _struck(self, sql: str) -> str | None:
        """The fault that strikes this statement; one that loses the connection may do so here and now."""
        kind = self._faults.strike(sql)
        if kind == "lost_before":
            raise EOFError("a fault of the sandbox")
        self._losing = self._losing or kind in {"lost_after", "lost_midway"}
        return kind

    def _pass_on(self, shown_tag: str | None) -> bool:
        """Relay the answer of one simple query, without its ReadyForQuery; whether it succeeded."""
        succeeded = True
        while (message := self._answer()).kind != b"Z":
            succeeded = succeeded and message.kind != b"E"
            self._client.send(self._shown(message, None, shown_tag))
        self._backend.see(message)
        return succeeded

    def _answer(self) -> Message:
        """The backend's next message; a client that hangs up meanwhile ends the session."""
        while not self._backend.pending:
            ready, _, _ = select.select([self._client.sock, self._backend.sock], [], [])
            if self._client.sock in ready:
                self._client.read()
            if self._backend.sock in ready:
                break
        return self._backend.message()

    def _from_backend(self) -> None:
        self._backend.read()
        for message in self._backend.complete():
            statement = self._requests.statement
            heard = self._requests.answered(message)
            if message.kind == b"Z":
                self._backend.see(message)
                if not self._requests:
                    self._finish()
                    message = Message(b"Z", self._backend.status.encode())
            elif message.kind == b"E":
                self._then.clear()
                self._skipping = not heard
            if self._losing:
                if message.kind == b"Z" and not self._requests:
                    raise EOFError("a fault of the sandbox")
                continue
            prepared = self._prepared.get(statement)
            self._client.send(self._shown(message, statement, tag(prepared.rewritten) if prepared else None))

    def _finish(self) -> None:
        """What follows the statements that succeeded, before the client is told that the session is ready."""
        pending, self._then = self._then, []
        try:
            for rewritten in pending:
                self._statements.after(rewritten)
        except BackendError as error:
            self._client.send(wire.error(redshift_error(error.fields)))

    def _settle(self) -> None:
        """Relay until the backend owes nothing, so that the session is ours to use."""
        if not self._requests:
            return
        self._backend.send(_FLUSH)
        while self._requests:
            self._from_backend()
        if not self._skipping:
            self._backend.run("")  # tells the state of the transaction, which only a Sync would

    def _shown(self, message: Message, statement: str | None, shown_tag: str | None) -> Message:
        """A backend's message as Redshift would send it."""
        if message.kind == b"E":
            return wire.error(redshift_error(wire.error_fields(message.body)))
        if message.kind == b"C" and shown_tag is not None:
            return replace(message, body=wire.text(shown_tag))
        return self._super.shown(message, statement)

    def _report(self, information: str) -> None:
        if information:
            self._client.send(wire.notice(information))

    def _refuse(self, refusal: SqlRefused) -> None:
        self._fail(refusal)
        self._skipping = True

    def _fail(self, refusal: SqlRefused) -> None:
        """Tell the client, and leave an open transaction failed as Redshift would."""
        if self._backend.status == "T":
            with contextlib.suppress(BackendError):
                self._backend.run("SELECT 1/0")
        self._then.clear()
        fields = {"S": "ERROR", "V": "ERROR", "C": refusal.sqlstate, "M": refusal.message}
        self._client.send(wire.error(redshift_error(fields)))


def redshift_error(fields: dict[str, str]) -> dict[str, str]:
    """Redshift's words for a serialisation failure (error 1023) and for a text of too many bytes."""
    if fields.get("C") == _CHECK and fields.get("n", "").endswith(" bytes"):
        return fields | {"C": "22001", "M": "Value too long for character type", "D": f"Limit: {fields['n']}"}
    if fields.get("C") != _SERIALISATION:
        return fields
    detail = "Serializable isolation violation on a table of this transaction"
    return fields | {"C": "XX000", "M": "1023", "D": detail}
