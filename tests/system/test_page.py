"""The page "Customer.io" in headless Chromium, served over HTTP by Airflow's own API application below a base path."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from made_snapshots import run

from airflow_provider_cio.core.snapshot import Alert, Day, Destination, Detail, Drifted, Reject
from airflow_provider_cio.sandbox.ports import free_port

if TYPE_CHECKING:
    from page_lab import Board
    from playwright.sync_api import Browser, Page

pytest_plugins = ("page_lab", "chromium")
pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
NOW = datetime.now(UTC).replace(microsecond=0)
HOSTILE = "zz <b>bold</b><script>document.title='taken over'</script>"
MANY = 40
REPLAYED = "scheduled__latest"


@pytest.fixture(scope="module")
def served(_application: Any) -> Iterator[str]:
    """Below `/air`, as behind a proxy."""
    import uvicorn
    from fastapi import FastAPI

    outer = FastAPI()
    outer.mount("/air", _application.app)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(outer, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{port}/air/customerio"
    server.should_exit = True
    thread.join(30)


@dataclass
class Seen:
    """What a browser asked for and complained of."""

    urls: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(params=["light", "dark"])
def tab(
    browser: Browser, served: str, board: Board, tmp_path_factory: pytest.TempPathFactory, request: Any
) -> Iterator[tuple[Page, Seen]]:
    """A window of somebody who may do everything, in a light and in a dark system."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    furnish(board)
    token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="admin", role="admin"))
    page = browser.new_page(
        viewport={"width": 1400, "height": 900},
        color_scheme=request.param,
        extra_http_headers={"Authorization": f"Bearer {token}"},
    )
    seen = Seen()
    page.on("request", lambda asked: seen.urls.append(asked.url))
    page.on("console", lambda said: seen.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    yield page, seen
    folder = tmp_path_factory.getbasetemp() / "screenshots"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"{request.node.name}.png")
    page.close()


def furnish(board: Board) -> None:
    """Syncs of every state, a name with markup, and an audience."""
    latest = run(
        run_id=REPLAYED, finished_at=NOW, source=20_410, accepted=518, added=120, changed=398, rejected=2
    )
    runs = [latest] + [
        run(
            run_id=f"scheduled__{n}",
            finished_at=NOW - timedelta(minutes=15 * n),
            accepted=400 + 9 * n,
            lag=300.0 + 13 * (n % 7),
        )
        for n in range(1, 40)
    ]
    days = [
        Day(
            day=f"{NOW - timedelta(days=n):%Y-%m-%d}",
            runs=96,
            bad=n % 9 == 0,
            accepted=40_000 + 700 * (n % 11),
            rejected=n % 5,
        )
        for n in range(365, 0, -1)
    ]
    email = Reject(
        plan_id="01K", kind="permanent", reason="invalid email", field="email", rows=2, samples=["9f86d081"]
    )
    drift = Drifted(reason="overwritten", field="tier", rows=3)
    detail = Detail(runs=runs, days=days, rejects=[email], drift=[drift])
    board.publish(
        "customers", detail=detail, last=latest, recent=[one.accepted for one in reversed(runs)], drift=3,
        description="People with their state of retention", source="cio_marts.retention_customer_state",
        taken_at=NOW, delivered_at=NOW, cadence="*/15 * * * *",
    )  # fmt: skip
    board.publish(
        "orders", kind="events", last=run(lag=7200.0, finished_at=NOW), taken_at=NOW, delivered_at=NOW,
        alerts=[Alert(name="deadline", severity="CRITICAL", message="delivered 1 h after its promise", since=NOW)],
    )  # fmt: skip
    board.publish(
        "carts", last=run(status="partial", rejected=40, finished_at=NOW), taken_at=NOW, recent=[5, 9, 4]
    )
    board.publish("new")
    board.publish(
        HOSTILE, dag_id="hostile", owner=HOSTILE, description=HOSTILE, taken_at=NOW, delivered_at=NOW
    )
    for n in range(MANY):
        board.publish(
            f"team_{n:02}", owner=f"crew-{n % 5}", last=run(finished_at=NOW), taken_at=NOW, delivered_at=NOW
        )
    sizes = [
        Destination(
            name=name,
            members=18_200,
            uploaded=18_200,
            size=size,
            match_rate=rate,
            ready=True,
            measured_at=NOW,
        )
        for name, size, rate in (("meta", 12_900, 0.71), ("google", 11_400, 0.63))
    ]
    board.publish(
        "winback", dag_id="cio_audience_winback", subject="audience", kind="winback", taken_at=NOW, delivered_at=NOW,
        destinations=sizes, detail=Detail(runs=runs[:3], destinations=sizes),
    )  # fmt: skip


def test_the_list_and_a_sync_are_shown_and_reached_by_keyboard(
    tab: tuple[Page, Seen], served: str, tmp_path_factory: pytest.TempPathFactory, request: Any
) -> None:
    page, seen = tab
    page.goto(f"{served}/")
    assert page.locator("tr[data-row]").count() == 5 + MANY + 2
    assert page.title() == "Customer.io"
    assert HOSTILE in page.inner_text("main")
    assert page.locator("main b", has_text="bold").count() == 0
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (colour == "rgb(255, 255, 255)") == (request.node.callspec.params["tab"] == "light")
    folder = tmp_path_factory.getbasetemp() / "screenshots"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"list-{request.node.callspec.params['tab']}.png")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.get_by_role("searchbox").focus()
    page.keyboard.type("crew-3")
    assert page.locator("tr[data-row]:visible").count() == MANY // 5
    page.keyboard.press("Control+A")
    page.keyboard.type("customers")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == "customers":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="customers").first.wait_for()
    assert page.url == f"{served}/dags/cio_sync_customers"
    for said in ("cio_marts.retention_customer_state", "overwritten"):
        page.get_by_text(said).first.wait_for()
    assert page.locator("svg.chart").count() >= 2
    page.screenshot(path=folder / f"sync-{request.node.callspec.params['tab']}.png")
    page.locator(f"a[href$='runs/{REPLAYED}']").first.click()
    for said in ("airflow cio replay-rejects customers", "invalid email", "9f86d081"):
        page.get_by_text(said).first.wait_for()

    assert seen.complaints == []
    host = served.split("/air")[0]
    assert [url for url in seen.urls if not url.startswith((host, "data:"))] == []


def test_a_visitor_without_a_token_is_shown_nothing(browser: Browser, served: str, board: Board) -> None:
    board.publish("orders", owner="retention")
    page = browser.new_page()
    answer = page.goto(f"{served}/")
    assert answer is not None
    assert answer.status == 401
    assert "retention" not in page.content()
    page.close()
