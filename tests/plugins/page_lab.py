"""Fixture `board`: snapshots in Airflow's database. Fixture `page`: Airflow's own API application with our plugin.

The visitors of `page` have different rights: `admin` may do everything, others read what their name is part of.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_snapshots import snapshot

from airflow_provider_cio.core.snapshot import DETAIL, SUMMARY, Detail


class Board:
    """What Airflow's database says of syncs."""

    def publish(
        self, name: str, *, dag_id: str | None = None, detail: Detail | None = None, **summary: Any
    ) -> None:
        """A sync, its Dag, and (with a summary) its snapshot."""
        from airflow.models.asset import AssetActive, AssetModel, TaskOutletAssetReference
        from airflow.models.asset_state_store import AssetStateStoreModel
        from airflow.models.dag import DagModel
        from airflow.models.dagbundle import DagBundleModel
        from airflow.utils.session import create_session

        dag_id = dag_id or f"cio_sync_{name}"
        with create_session() as session:
            session.merge(DagBundleModel(name="dags-folder"))
            session.flush()
            session.merge(DagModel(dag_id=dag_id, bundle_name="dags-folder", is_stale=False, is_paused=False))
            uri = f"customerio://{summary.get('subject', 'sync')}/{name}"
            asset = AssetModel(name=f"customerio_{name}", uri=uri, group="customerio")
            session.add(asset)
            session.flush()
            session.add(AssetActive.for_asset(asset))
            session.add(TaskOutletAssetReference(asset_id=asset.id, dag_id=dag_id, task_id="verdict"))
            if summary:
                parts = {SUMMARY: snapshot(name, **summary), DETAIL: detail or Detail()}
                for key, part in parts.items():
                    row = AssetStateStoreModel(asset_id=asset.id, key=key, value=part.model_dump_json())
                    row.last_updated_by_dag_id = dag_id
                    session.add(row)

    def clear(self) -> None:
        from airflow.models.asset import AssetActive, AssetModel, TaskOutletAssetReference
        from airflow.models.asset_state_store import AssetStateStoreModel
        from airflow.models.dag import DagModel
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session
        from sqlalchemy import delete

        with create_session() as session:
            for table in (
                DagRun,
                AssetStateStoreModel,
                TaskOutletAssetReference,
                AssetActive,
                AssetModel,
                DagModel,
            ):
                session.execute(delete(table))


class Page:
    """The application, and who asks it."""

    def __init__(self, client: Any, board: Board) -> None:
        self.client = client
        self.publish = board.publish

    def get(self, path: str = "", user: str = "admin", **options: Any) -> Any:
        return self._call("GET", path, user, **options)

    def post(self, path: str, user: str = "admin", **options: Any) -> Any:
        return self._call("POST", path, user, **options)

    def _call(self, method: str, path: str, user: str, headers: Any = None, **options: Any) -> Any:
        from airflow.api_fastapi.app import get_auth_manager
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

        token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=user, role="viewer"))
        known = {"Authorization": f"Bearer {token}"}
        return self.client.request(
            method, f"/customerio/{path}", headers=known | (headers or {}), follow_redirects=False, **options
        )


def _auth_manager() -> Any:
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    class ByDag(SimpleAuthManager):
        """`admin` may do everything; everybody else may read the Dags that their name is part of, and edit none."""

        def is_authorized_dag(self, *, method: Any, user: Any, details: Any = None, **_: Any) -> bool:
            if user.get_id() == "admin":
                return True
            return method == "GET" and details is not None and user.get_id() in str(details.id)

        def filter_authorized_dag_ids(
            self, *, dag_ids: Any, user: Any, method: Any = "GET", **_: Any
        ) -> set[str]:
            from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails

            return {
                each
                for each in dag_ids
                if self.is_authorized_dag(method=method, user=user, details=DagDetails(id=each))
            }

    return ByDag


ByDag: Any = None


@pytest.fixture(scope="session")
def _application(airflow_home: Path) -> Iterator[Any]:
    import warnings

    global ByDag  # Airflow imports an auth manager by its path
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ByDag = _auth_manager()
        from airflow.api_fastapi import app as airflow_app
        from airflow.configuration import conf
        from starlette.testclient import TestClient

        conf.set("core", "auth_manager", "page_lab.ByDag")
        conf.set("api_auth", "jwt_secret", "of-the-page-lab-and-long-enough-for-sha-512-which-wants-64-bytes")
        airflow_app.purge_cached_app()
        with TestClient(airflow_app.create_app(apps="core")) as client:
            yield client
        airflow_app.purge_cached_app()
        conf.remove_option("core", "auth_manager")


@pytest.fixture
def board(airflow_home: Path) -> Iterator[Board]:
    board = Board()
    board.clear()
    yield board
    board.clear()


@pytest.fixture
def page(_application: Any, board: Board) -> Page:
    return Page(_application, board)
