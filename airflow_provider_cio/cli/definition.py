"""`airflow cio ...`: names, arguments and help; the commands themselves load when they run."""

from __future__ import annotations

from typing import Any

from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand, lazy_load_command

_COMMANDS = "airflow_provider_cio.cli"


def _arg(*flags: str, **options: Any) -> Arg:
    return Arg(flags, **options)  # type: ignore[no-untyped-call]


ARG_PATH = _arg("path", nargs="?", help="Folder of contract.yaml and syncs/; the Dags folder by default")
ARG_SYNC = _arg("sync", help="Name of a sync in the Dags folder, or path of its YAML file")
ARG_FORMAT = _arg("-o", "--output", choices=("table", "json"), default="table", help="Output format (table)")
ARG_ROWS = _arg("-n", "--rows", type=int, default=5, help="How many rows of the source (5)")
ARG_SHOW_VALUES = _arg(
    "--show-values", action="store_true", help="Print personal data instead of kinds of values and hashes"
)
ARG_REASON = _arg("--reason", help="Only rows refused with this reason, or of this class")
ARG_NAMES = _arg("names", nargs="+", help="Guards, as the message of the stopped run names them")
ARG_MEASURED = _arg(
    "--measured",
    action="store_true",
    help="Hold windows of audiences to the lags in cio_sync.match_rates too",
)
ARG_WAIT = _arg(
    "--wait", type=float, default=30.0, help="Seconds in which Customer.io may still apply it (30)"
)
ARG_WEEK = _arg("--week", nargs="?", help="Such as 2026-W47 (the last whole week)")
ARG_PAPER = _arg("-o", "--output", choices=("markdown", "html"), default="markdown", help="(markdown)")
ARG_DIR = _arg("directory", metavar="DIR", help="Folder that gets dags/ and sql/; made when it is absent")
ARG_SCHEMA = _arg("schema", metavar="SCHEMA", help="Schema of your own tables")
ARG_WHICH = _arg("which", choices=("contract", "sync", "audience"), help="Which file's schema")


def get_cli_commands() -> list[GroupCommand]:
    """Answer `cli` of the provider info."""
    return [GroupCommand(name="cio", help="Syncs from Redshift to Customer.io", subcommands=_SUBCOMMANDS)]


_SUBCOMMANDS = (
    ActionCommand(
        name="status",
        help="Say how every sync, audience and reporting route stands; asks nothing of Redshift",
        func=lazy_load_command(f"{_COMMANDS}.status.status"),
        args=(ARG_FORMAT,),
    ),
    ActionCommand(
        name="report",
        help="Print a week of the programme, as Markdown or as one HTML page with plots",
        func=lazy_load_command(f"{_COMMANDS}.report.report"),
        args=(ARG_WEEK, ARG_PAPER),
    ),
    ActionCommand(
        name="doctor",
        help="Check connections, grants, bucket, region, keys, clocks, pools and versions; each finding has its fix",
        func=lazy_load_command(f"{_COMMANDS}.doctor.doctor"),
        args=(ARG_PATH, ARG_FORMAT),
    ),
    ActionCommand(
        name="lint",
        help="Check the contract, every sync and every audience, without a connection",
        func=lazy_load_command(f"{_COMMANDS}.lint.lint"),
        args=(ARG_PATH, ARG_MEASURED),
    ),
    ActionCommand(
        name="plan",
        help="Count what a run would send now; nothing is kept or sent",
        func=lazy_load_command(f"{_COMMANDS}.sync.plan"),
        args=(ARG_SYNC, ARG_FORMAT),
    ),
    ActionCommand(
        name="preview",
        help="Print the operations for some rows as JSON lines; nothing is sent",
        func=lazy_load_command(f"{_COMMANDS}.sync.preview"),
        args=(ARG_SYNC, ARG_ROWS, ARG_SHOW_VALUES),
    ),
    ActionCommand(
        name="repair",
        help="Send the rows again that Customer.io does not hold as they were accepted (cio_sync.drift)",
        func=lazy_load_command(f"{_COMMANDS}.resend.repair"),
        args=(ARG_SYNC,),
    ),
    ActionCommand(
        name="replay-rejects",
        help="Send the refused rows again (cio_sync.rejects), after their cause is corrected",
        func=lazy_load_command(f"{_COMMANDS}.resend.replay_rejects"),
        args=(ARG_SYNC, ARG_REASON),
    ),
    ActionCommand(
        name="let-through",
        help="Let the next run pass a guard, or a change of its source's columns, once",
        func=lazy_load_command(f"{_COMMANDS}.let_through.let_through"),
        args=(ARG_SYNC, ARG_NAMES),
    ),
    ActionCommand(
        name="verify",
        help="Send the test cohort and nobody else, read it back, and compare field by field",
        func=lazy_load_command(f"{_COMMANDS}.verify.verify"),
        args=(ARG_SYNC, ARG_FORMAT, ARG_SHOW_VALUES, ARG_WAIT),
    ),
    ActionCommand(
        name="test",
        help="Run the mapping tests of all syncs, without a connection",
        func=lazy_load_command(f"{_COMMANDS}.verify.test"),
        args=(ARG_PATH,),
    ),
    ActionCommand(
        name="init",
        help="Lay out the sample dags/ and sql/ to start from; nothing is overwritten",
        func=lazy_load_command(f"{_COMMANDS}.init.init"),
        args=(ARG_DIR,),
    ),
    ActionCommand(
        name="init-db",
        help="Create the tables that all syncs share; those that exist stay as they are",
        func=lazy_load_command(f"{_COMMANDS}.init_db.init_db"),
        args=(ARG_PATH,),
    ),
    ActionCommand(
        name="forget",
        help="Remove a person from every destination, table and plan; says who on standard input, as JSON",
        func=lazy_load_command(f"{_COMMANDS}.forget.forget"),
        args=(ARG_PATH,),
    ),
    ActionCommand(
        name="introspect",
        help="Propose the part `sources` of models.yaml for the tables of a schema; nothing is written",
        func=lazy_load_command(f"{_COMMANDS}.introspect.introspect"),
        args=(ARG_SCHEMA, ARG_PATH),
    ),
    ActionCommand(
        name="grants",
        help="Print the SQL, IAM policies and scopes that loads need, and no more",
        func=lazy_load_command(f"{_COMMANDS}.grants.grants"),
        args=(ARG_PATH,),
    ),
    ActionCommand(
        name="schema",
        help="Print the JSON Schema of contract.yaml, a sync or an audience, for editors",
        func=lazy_load_command(f"{_COMMANDS}.schema.schema"),
        args=(ARG_WHICH,),
    ),
)
