from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
SAMPLE = REPOSITORY / "dags"


@pytest.fixture
def run(airflow_home: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """`airflow cio ...` in this process: (status, stdout, stderr)."""
    from airflow.cli import cli_parser

    parser = cli_parser.get_parser()

    def call(*arguments: str) -> tuple[int, str, str]:
        args: Namespace = parser.parse_args(["cio", *arguments])
        status = 0
        try:
            args.func(args)
        except SystemExit as left:
            status = int(left.code or 0)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


@pytest.fixture
def dags(airflow_home: Path) -> Any:
    """The Dags folder with the sample in it."""
    folder = airflow_home / "dags"
    shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
    yield folder
    shutil.rmtree(folder)
    folder.mkdir()


def test_lint_of_the_sample_is_content_in_the_dags_folder_too(run: Any, dags: Path) -> None:
    status, out, err = run("lint")
    assert (status, out) == (0, "")
    assert f"{dags}: 0 errors, 0 warnings." in err


def test_lint_names_file_line_and_key_and_the_next_step(run: Any, tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "dags")
    broken = tmp_path / "dags/syncs/customers.yaml"
    text = broken.read_text().replace("  first_name: first_name\n", "  frist_name: first_name\n")
    broken.write_text(text)
    line = text.splitlines().index("  frist_name: first_name") + 1

    status, out, err = run("lint", str(tmp_path / "dags"))

    assert status == 1
    assert f"error: {broken}:{line}: attributes.frist_name: " in out
    assert "Next step: " in out
    assert "errors" in err


def test_lint_with_warnings_only_is_not_a_failure(run: Any, tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "dags")
    syncs = tmp_path / "dags/syncs"
    copy = yaml.safe_load((syncs / "orders_completed.yaml").read_text())
    (syncs / "orders_twice.yaml").write_text(yaml.safe_dump(copy))

    status, out, err = run("lint", str(tmp_path / "dags"))

    assert (status, out.count("warning: "), out.count("error: ")) == (0, 1, 0)
    assert "0 errors, 1 warnings." in err


@pytest.mark.parametrize(
    ("page", "name"), [("README.md", "customers"), ("docs/how-to/add-a-sync.md", "loyalty")]
)
def test_lint_accepts_the_syncs_of_the_docs(run: Any, tmp_path: Path, page: str, name: str) -> None:
    dags = tmp_path / "dags"
    shutil.copytree(SAMPLE, dags)
    blocks = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / page).read_text(), flags=re.DOTALL)
    [sync] = [block for block in blocks if block.startswith("kind:")]
    (dags / f"syncs/{name}.yaml").write_text(sync)
    contract = yaml.safe_load((dags / "contract.yaml").read_text())
    for block in blocks:
        contract["attributes"] |= yaml.safe_load(block).get("attributes", {}) if block != sync else {}
    written = yaml.safe_load(sync)["attributes"]
    contract["attributes"] = {
        attribute: entry
        for attribute, entry in contract["attributes"].items()
        if entry["writer"] != name or attribute in written
    }
    (dags / "contract.yaml").write_text(yaml.safe_dump(contract))

    assert run("lint", str(dags))[:2] == (0, "")


def test_lint_of_no_folder(run: Any, tmp_path: Path) -> None:
    status, out, err = run("lint", str(tmp_path / "absent"))
    assert (status, out) == (1, "")
    assert "is not a folder. Next step: " in err


@pytest.mark.parametrize(("which", "file"), [("contract", "contract.yaml"), ("sync", "syncs/customers.yaml")])
def test_the_schemas_accept_the_sample_and_refuse_an_unknown_key(run: Any, which: str, file: str) -> None:
    status, out, _ = run("schema", which)
    assert status == 0
    document = yaml.safe_load((SAMPLE / file).read_text())
    jsonschema.validate(document, json.loads(out))
    with pytest.raises(jsonschema.ValidationError, match="ownr"):
        jsonschema.validate(document | {"ownr": "x"}, json.loads(out))


def test_init_lays_out_what_lint_accepts(run: Any, tmp_path: Path) -> None:
    status, out, err = run("init", str(tmp_path / "new"))
    assert status == 0
    written = {Path(line).relative_to(tmp_path / "new") for line in out.splitlines()}
    assert Path("dags/contract.yaml") in written
    assert Path("dags/syncs/customers.yaml") in written
    assert Path("sql/marts/retention_customer_state.sql") in written
    assert not [path for path in written if "__pycache__" in path.parts]
    for path in written:
        assert (tmp_path / "new" / path).read_bytes() == (REPOSITORY / path).read_bytes()
    assert "airflow cio lint" in err
    assert run("lint", str(tmp_path / "new/dags"))[0] == 0


def test_init_overwrites_nothing_and_names_what_is_there(run: Any, tmp_path: Path) -> None:
    mine = tmp_path / "dags/contract.yaml"
    mine.parent.mkdir()
    mine.write_text("mine")

    status, out, err = run("init", str(tmp_path))

    assert (status, out) == (1, "")
    assert str(mine) in err
    assert mine.read_text() == "mine"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]


def test_init_where_a_file_is_in_the_way(run: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = run("init", str(tmp_path / "file"))
    assert status == 1
    assert "cannot be written" in err


@pytest.mark.parametrize("command", ["plan", "preview"])
def test_an_unknown_sync_is_named_with_the_known_ones(run: Any, dags: Path, command: str) -> None:
    status, out, err = run(command, "custmers")
    assert (status, out) == (1, "")
    assert "did you mean 'customers'?" in err
    assert "orders_completed" in err
    assert "Traceback" not in err


def test_a_broken_sync_is_a_message(run: Any, dags: Path) -> None:
    (dags / "syncs/customers.yaml").write_text("kind: people\nkindd: x\n")
    status, _, err = run("plan", "customers")
    assert status == 1
    assert "customers.yaml:2: kindd: unknown key" in err


def test_rows_must_be_a_number_of_rows(run: Any, dags: Path) -> None:
    status, _, err = run("preview", "customers", "-n", "0")
    assert status == 1
    assert "-n 0" in err


def test_the_real_command(airflow_home: Path) -> None:
    airflow = Path(sys.executable).with_name("airflow")
    done = subprocess.run([airflow, "cio", "lint", SAMPLE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "0 errors, 0 warnings." in done.stderr


def test_grants_name_the_buckets_of_the_files_and_nothing_else(run: Any, dags: Path) -> None:
    (dags / "reporting").mkdir(exist_ok=True)
    (dags / "reporting" / "lake.yaml").write_text(
        "first_day: 2026-01-01\nroutes: {data_out: {streams: [metrics], files: 's3://lake/out'}}\n"
    )
    status, out, _ = run("grants")
    assert status == 0
    policies = [json.loads(text) for text in re.findall(r"^\{.*?^\}", out, re.DOTALL | re.MULTILINE)]
    connection, copying = ({arn for s in each["Statement"] for arn in s["Resource"]} for each in policies)
    assert connection == copying
    assert connection == {
        "arn:aws:s3:::cio-sandbox/cio/*",
        "arn:aws:s3:::lake/out/*",
        "arn:aws:s3:::cio-sandbox",
        "arn:aws:s3:::lake",
    }
    assert "s3:DeleteObject" in str(policies[0])
    assert "s3:DeleteObject" not in str(policies[1])
    assert 'GRANT USAGE, CREATE ON SCHEMA "cio_raw" TO ROLE cio_load;' in out
