"""A whole Airflow on loopback: scheduler, Dag processor, triggerer and API server, each a guarded process."""

from __future__ import annotations

import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt

from airflow_provider_cio.sandbox.guardian import Guarded, spawn
from airflow_provider_cio.sandbox.postgres import USER, Postgres, PostgresError

# Logs are files of this machine, so nobody needs to serve them (Airflow would, on all interfaces).
COMPONENTS: Mapping[str, Sequence[str]] = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}


class StackError(Exception):
    """A component ended or did not answer in time; the message names its log."""


class AirflowStack:
    """Airflow with the LocalExecutor and a PostgreSQL of its own, its home in ``home``, its Dags in ``dags``.

    :param settings: ``AIRFLOW__...`` variables, over ours.
    :param components: name (of its log too) and command line of each process.

    ``with AirflowStack(home, dags, port=8080) as airflow: airflow.get("/api/v2/dags")``
    """

    def __init__(
        self,
        home: Path,
        dags: Path,
        *,
        port: int,
        settings: Mapping[str, str] | None = None,
        components: Mapping[str, Sequence[str]] = COMPONENTS,
    ) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{port}"
        self.env = _environment(home, dags, port) | dict(settings or {})
        self._postgres = Postgres(home / "postgres", {"shared_buffers": "64MB"})
        self._components = components
        self._processes: dict[str, Guarded] = {}
        self._cancelled = threading.Event()
        self._http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def __enter__(self) -> AirflowStack:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Create or upgrade the metadata database, start all components, return when tasks can run."""
        logs = self.home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        tell("preparing Airflow's database")
        try:
            self._start_database()
            self._migrate(logs / "migrate.log")
            tell("starting the API server, scheduler, Dag processor and triggerer")
            for name in self._components:
                self._spawn(name)
            self._log_in()
            self._warm_execution_api()
            tell("waiting for the scheduler")
            self.wait_for(self._healthy, "scheduler, Dag processor and triggerer to report health")
        except BaseException:
            self.stop()
            raise

    def kill(self, component: str) -> None:
        """Lose a component and everything it started, as when its machine loses power."""
        self._processes.pop(component).kill()

    def restart(self, component: str) -> None:
        """Lose a component and have it back; returns before it is at work again."""
        self.kill(component)
        self._spawn(component)

    def cancel(self) -> None:
        """Make a ``start`` or ``wait_for`` of another thread give up soon."""
        self._cancelled.set()

    def stop(self) -> None:
        """End all components and everything they started."""
        for process in self._processes.values():
            process.end()
        while self._processes:
            self._processes.popitem()[1].stop()
        self._postgres.stop()
        self._http.close()

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """Call the REST API; the decoded JSON, or None for an empty body."""
        answer = self._http.request(method, path, **arguments)
        if answer.is_error:
            raise StackError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json() if answer.content else None

    def page(self, path: str) -> str:
        """The HTML of a page, as whoever is logged in sees it."""
        answer = self._http.get(path, follow_redirects=True)
        if answer.is_error:
            raise StackError(f"GET {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.text

    def get(self, path: str, **query: Any) -> Any:
        """GET with query parameters."""
        return self.call("GET", path, params=query)

    def wait_for(self, condition: Callable[[], Any], what: str, *, seconds: float = 240) -> Any:
        """Poll ``condition`` until it is true; its value. Raises StackError when a component has ended."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if self._cancelled.is_set():
                raise StackError(f"cancelled while waiting for {what}")
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise StackError(f"airflow {name} ended. Next step: read {self.home / 'logs' / name}.log")
            if time.monotonic() > deadline:
                raise StackError(
                    f"gave up after {seconds:.0f} s waiting for {what}. Logs: {self.home / 'logs'}"
                )
            time.sleep(0.25)
        return value

    def set_connection(self, connection_id: str, conn_type: str, **fields: Any) -> None:
        """Create the connection, or replace it."""
        body = {"connection_id": connection_id, "conn_type": conn_type} | fields
        known = self._http.get(f"/api/v2/connections/{connection_id}").is_success
        if known:
            self.call("DELETE", f"/api/v2/connections/{connection_id}")
        self.call("POST", "/api/v2/connections", json=body)

    def wait_for_dag(self, dag_id: str) -> None:
        """Wait until the Dag processor has parsed it."""
        self.wait_for(
            lambda: self._http.get(f"/api/v2/dags/{dag_id}").is_success, f"the Dag {dag_id} to be parsed"
        )

    def pause(self, dag_id: str) -> None:
        """Have the scheduler start no further run."""
        self.call("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": True})

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler start its runs."""
        self.call("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": False})

    def forget_assets(self, dag_id: str) -> None:
        """Have no run started by what assets told the Dag so far."""
        path = f"/api/v2/dags/{dag_id}/assets/queuedEvents"
        answer = self._http.delete(path)
        if answer.is_error and answer.status_code != httpx.codes.NOT_FOUND:
            raise StackError(f"DELETE {path} answered {answer.status_code}: {answer.text[:500]}")

    def trigger(self, dag_id: str) -> str:
        """Start a run; its run id.

        Where the scheduler is about to make one for a tick that has passed, this run takes its place.
        """
        dag = self.get(f"/api/v2/dags/{dag_id}")
        due = dag["next_dagrun_run_after"]
        passed = due is not None and datetime.fromisoformat(due) <= datetime.now(UTC)
        runs = f"/api/v2/dags/{dag_id}/dagRuns"
        if passed:
            body = {"logical_date": dag["next_dagrun_logical_date"], "conf": {}}
            answer = self._http.post(runs, json=body)
            if answer.is_success:
                return str(answer.json()["dag_run_id"])
            if (
                answer.status_code != httpx.codes.CONFLICT
            ):  # a conflict: an earlier run has taken the place already
                raise StackError(f"POST {runs} answered {answer.status_code}: {answer.text[:500]}")
        return str(self.call("POST", runs, json={"logical_date": None, "conf": {}})["dag_run_id"])

    def _spawn(self, component: str) -> None:
        log = self.home / "logs" / f"{component}.log"
        self._processes[component] = spawn(_airflow(*self._components[component]), log=log, env=self.env)

    def _start_database(self) -> None:
        try:
            self._postgres.start()
        except PostgresError as error:
            raise StackError(str(error)) from error
        self._postgres.ensure_database("airflow")
        address = f"postgresql+psycopg://{USER}@/airflow?host={self._postgres.socket_folder}"
        self.env |= {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": address,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": address,
        }

    def _migrate(self, log: Path) -> None:
        migration = spawn(_airflow("db", "migrate"), log=log, env=self.env)
        try:
            self.wait_for(lambda: migration.poll() is not None, "airflow db migrate")
        finally:
            migration.stop()
        if migration.poll() != 0:
            raise StackError(f"airflow db migrate failed. Next step: read {log}")

    def _log_in(self) -> None:
        def token() -> str | None:
            try:
                answer = self._http.get("/auth/token")
            except httpx.TransportError:
                return None
            return self._own(answer.json()["access_token"]) if answer.is_success else None

        self._http.headers["Authorization"] = f"Bearer {self.wait_for(token, 'the API server')}"

    def _own(self, token: str) -> str:
        """The token, if this Airflow signed it: another may have taken the port while this one was starting."""
        try:
            jwt.decode(
                token, _secret(self.home, "jwt-secret"), algorithms=["HS512"], options={"verify_aud": False}
            )
        except jwt.InvalidSignatureError as error:
            raise StackError(
                f"another Airflow answers on {self.url}. Next step: start again, a free port is taken then."
            ) from error
        return token

    def _warm_execution_api(self) -> None:
        """Build the execution API's versioned application, which takes longer than a task waits for it."""
        nobody = "00000000-0000-0000-0000-000000000000"
        self._http.patch(f"/execution/task-instances/{nobody}/run", json={}, timeout=180)

    def _healthy(self) -> bool:
        health = self.get("/api/v2/monitor/health")
        return all(
            health[part]["status"] == "healthy" for part in ("scheduler", "dag_processor", "triggerer")
        )


def _airflow(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]


def _secret(home: Path, name: str) -> str:
    file = home / name
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True)
        file.write_text(secrets.token_urlsafe(48))
        file.chmod(0o600)
    return file.read_text()


def _environment(home: Path, dags: Path, port: int) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return inherited | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API_AUTH__JWT_SECRET": _secret(home, "jwt-secret"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__SECRET_KEY": _secret(home, "api-secret"),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "NO_PROXY": "*",
        "PYTHONUNBUFFERED": "1",
    }
