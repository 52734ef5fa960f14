"""Whatever is wrong with a request: the right status, counted, and nothing stored."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signed_webhooks import TOKEN, signed, wait_until

if TYPE_CHECKING:
    from receiver_lab import ReceiverProcess

pytest_plugins = ("receiver_lab",)


def event(event_id: str = "01HZXJ5V3J6Y8Q1N2B4C5D6E7F", **more: Any) -> bytes:
    return json.dumps({"event_id": event_id, "object_type": "email", "metric": "sent", **more}).encode()


@pytest.fixture
def running(receiver: ReceiverProcess) -> ReceiverProcess:
    receiver.settings |= {"roll_after": "1h", "body_kilobytes": 10}
    receiver.start()
    return receiver


def stored(receiver: ReceiverProcess) -> list[dict[str, Any]]:
    files = sorted((receiver.folder / "journal").glob("*/*"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


def test_each_refusal_has_its_status_and_its_counter(running: ReceiverProcess) -> None:
    body = event()
    old = signed(body, timestamp=int(time.time()) - 7 * 86_400)
    cases: list[tuple[str, str, bytes, dict[str, str], int, str]] = [
        ("POST", "/reporting", body, {}, 401, "bad_signature"),
        ("POST", "/reporting", body, signed(body, key=b"other"), 401, "bad_signature"),
        ("POST", "/reporting", body + b" ", signed(body), 401, "bad_signature"),
        ("POST", "/reporting", body, signed(body) | {"X-CIO-Timestamp": "1"}, 401, "bad_signature"),
        ("POST", "/reporting", b"{", signed(b"{"), 400, "invalid_json"),
        ("POST", "/reporting", b"[]", signed(b"[]"), 400, "invalid_json"),
        ("POST", "/reporting", b'{"a":NaN}', signed(b'{"a":NaN}'), 400, "invalid_json"),
        ("POST", "/reporting", b"[" * 9000, signed(b"[" * 9000), 400, "invalid_json"),
        ("POST", "/reporting", b'{"a":1}', signed(b'{"a":1}'), 400, "no_event_id"),
        ("POST", "/reporting", b" " * 10_001, signed(b" " * 10_001), 413, "oversized"),
        ("PUT", "/reporting", body, signed(body), 405, "method"),
        ("GET", "/reporting", b"", {}, 405, "method"),
    ]
    for method, path, content, headers, status, why in cases:
        before = running.count(why)
        answer = running.http.request(method, path, content=content, headers=headers)
        assert (answer.status_code, answer.json()) == (status, {"error": why}), why
        assert running.count(why) == before + 1
    assert stored(running) == []
    assert running.http.post("/reporting", content=body, headers=old).status_code == 200


def test_a_duplicate_is_answered_with_200_and_not_stored_again(running: ReceiverProcess) -> None:
    for n in range(3):
        body = event(again=n)
        assert running.http.post("/reporting", content=body, headers=signed(body)).status_code == 200
    assert [line["payload"]["again"] for line in stored(running)] == [0]
    assert (running.count("stored"), running.count("duplicate")) == (1, 2)
    running.kill()
    running.start()
    assert running.http.post("/reporting", content=body, headers=signed(body)).status_code == 200
    assert (running.count("stored"), running.count("duplicate")) == (0, 1)


def test_workflow_routes_have_a_secret_and_a_schema(running: ReceiverProcess) -> None:
    def post(payload: Any, token: str = TOKEN, route: str = "review") -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return running.http.post(f"/workflow/{route}", json=payload, headers=headers).status_code

    assert post({"order": 1}, token="wrong") == 401
    assert post({"other": 1}) == 422
    assert post({"order": {}}) == 400
    assert post({"order": 1}, route="unknown") == 404
    assert stored(running) == []
    assert [post({"order": 1}), post({"order": 1}), post({"order": 2})] == [200, 200, 200]
    assert [line["payload"] for line in stored(running)] == [{"order": 1}, {"order": 2}]


PATHS = (b"/reporting/", b"//reporting", b"/./reporting", b"/%72eporting", b"/workflow/..%2freporting",
         b"/workflow/../reporting", b"/workflow/review%00", b"/../../etc/passwd", b"/reporting%2f", b"/")  # fmt: skip


def test_path_tricks_lead_nowhere(running: ReceiverProcess) -> None:
    body = event()
    head = b"".join(f"{name}: {value}\r\n".encode() for name, value in signed(body).items())
    for path in PATHS:
        request = b"POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s" % (
            path,
            head,
            len(body),
            body,
        )
        with socket.create_connection(("127.0.0.1", running.port), timeout=30) as connection:
            connection.sendall(request)
            assert connection.recv(1000).split(b" ", 2)[1] == b"404", path
    assert stored(running) == []
    assert running.count("unknown_path", stream="") == len(PATHS)


def test_a_slow_client_gets_408_and_nobody_waits_for_it(running: ReceiverProcess) -> None:
    body = event()
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as slow:
        slow.sendall(b"POST /reporting HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert running.http.post("/reporting", content=body, headers=signed(body)).status_code == 200
        assert slow.recv(1000).split(b" ", 2)[1] == b"408"
    assert running.count("slow") == 1
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as gone:
        gone.sendall(b"POST /reporting HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    wait_until(lambda: running.count("hung_up") == 1)
    assert len(stored(running)) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=10,
)
BODIES = (
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.sampled_from(["event_id", "data"]), JSON, max_size=2).map(
        lambda value: json.dumps({"event_id": "x", **value}).encode()
    )
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, sign_it=st.booleans(), chunked=st.booleans())
def test_no_body_breaks_it(running: ReceiverProcess, body: bytes, sign_it: bool, chunked: bool) -> None:
    headers = signed(body, key=b"signing-key" if sign_it else b"guess")
    content = iter([body[:7], body[7:]]) if chunked else body
    before = len(stored(running))
    answer = running.http.post("/reporting", content=content, headers=headers)
    assert answer.status_code in ({200, 400} if sign_it else {401})
    lines = stored(running)
    assert len(lines) - before in ({0, 1} if answer.status_code == 200 else {0})
    for line in lines[before:]:
        json.dumps(line, ensure_ascii=False).encode()  # no half of a surrogate pair
        assert "\0" not in json.dumps(line, ensure_ascii=False)
    assert running.http.get("/health").status_code == 200
