"""What a person sees in the Airflow UI, in headless Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]
pytest_plugins = ("chromium",)


@pytest.fixture
def page(browser, tmp_path_factory, request):
    page = browser.new_page(viewport={"width": 1500, "height": 950})
    page.set_default_timeout(60_000)
    yield page
    folder = tmp_path_factory.getbasetemp() / "screenshots"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"{request.node.name}.png")
    page.close()


def test_the_dags_are_listed(world, page):
    page.goto(f"{world.airflow.url}/dags")
    for name in world.syncs:
        page.get_by_role("link", name=f"cio_sync_{name}").first.wait_for()


def test_the_connection_form_has_labels(world, page):
    page.goto(f"{world.airflow.url}/connections")
    page.get_by_role("button", name="Add Connection").click()
    page.get_by_role("combobox").first.click()
    page.keyboard.type("customerio")
    page.get_by_role("option", name="Customer.io").first.click()
    page.get_by_text("Extra Fields", exact=True).click()
    page.get_by_text("Track API key", exact=True).wait_for()
    form = page.inner_text("body")
    for label in ("Region", "Site ID", "Track API key", "App API key", "Workspace ID", "Base URL"):
        assert f"\n{label}" in form


def test_the_run_shows_its_report(world, page):
    world.members("calm", 12)
    run = world.run("calm")
    page.goto(f"{world.airflow.url}/dags/cio_sync_calm/runs/{run['dag_run_id']}/tasks/verdict/xcom")
    for figure in ("plan_id", "accepted", "rejected"):
        page.get_by_text(figure, exact=True).first.wait_for()
    page.goto(f"{world.airflow.url}/dags/cio_sync_calm/runs/{run['dag_run_id']}")
    page.get_by_text("verdict").first.wait_for()


def _open_import_errors(world, page):
    """Airflow takes the error down when it refreshes its bundle, and puts it back with the next parse."""
    from playwright.sync_api import TimeoutError as NotShown

    for _ in range(12):
        page.goto(world.airflow.url)
        try:
            page.get_by_text("Import Error").first.click(timeout=10_000)
        except NotShown:
            continue
        return
    pytest.fail("the home page showed no import error in two minutes")


def test_a_broken_file_is_an_import_error_of_its_own(world, page):
    world.members("calm", 12)
    broken = Path(world.dags) / "syncs" / "broken.yaml"
    broken.write_text("kind: people\nownr: nobody\n")
    try:
        found = world.airflow.wait_for(
            lambda: world.airflow.get("/api/v2/importErrors")["import_errors"],
            "the import error",
            seconds=300,
        )
        (error,) = found
        assert error["filename"] == "syncs/broken.yaml"
        assert "broken.yaml:2: ownr: unknown key: did you mean `owner`?" in error["stack_trace"]
        assert world.run("calm")["state"] == "success"
        _open_import_errors(world, page)
        page.get_by_text("syncs/broken.yaml").first.wait_for()
    finally:
        broken.unlink()
