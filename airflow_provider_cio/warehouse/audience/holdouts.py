"""Holdout assignments in SQL; what they mean is in :mod:`airflow_provider_cio.core.audience.holdouts`."""

from __future__ import annotations

from airflow_provider_cio.core.audience.definition import Holdout
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.audience.members import STAGE
from airflow_provider_cio.warehouse.audience.tables import moment


def assign(holdout: Holdout, holdouts: str, audience: str, now: str) -> str:
    """Assign the members of the stage who have no assignment in this experiment yet."""
    experiment = sql.literal(holdout.experiment)
    prefix = f"{len(holdout.salt)}:{holdout.salt}{len(holdout.experiment)}:{holdout.experiment}"
    share = holdout.basis_points
    return (
        f"INSERT INTO {holdouts} (experiment, member, held_out, stratum, position, draw, basis_points, audience, "
        f"assigned_at) SELECT {experiment}, member, "
        f"(position * {share}) / 10000 > ((position - 1) * {share}) / 10000, stratum, position, draw, {share}, "
        f"{sql.literal(audience)}, {moment(now)} FROM ("
        "SELECT n.member, n.stratum, n.draw, COALESCE(t.taken, 0) + "
        "ROW_NUMBER() OVER (PARTITION BY n.stratum ORDER BY n.draw, n.member) AS position FROM ("
        f"SELECT DISTINCT s.member, s.stratum, SHA2({sql.literal(prefix)} || s.member, 256) AS draw "
        f"FROM {STAGE} AS s LEFT JOIN (SELECT member FROM {holdouts} WHERE experiment = {experiment}) AS known "
        "ON known.member = s.member WHERE known.member IS NULL) AS n "
        f"LEFT JOIN (SELECT stratum, COUNT(*) AS taken FROM {holdouts} WHERE experiment = {experiment} "
        "GROUP BY stratum) AS t ON t.stratum = n.stratum) AS placed"
    )


def strata(holdouts: str, experiment: str) -> str:
    """``(stratum, members, held out)``: what the balance check reads."""
    return (
        f"SELECT stratum, COUNT(*), SUM(CASE WHEN held_out THEN 1 ELSE 0 END) FROM {holdouts} "
        f"WHERE experiment = {sql.literal(experiment)} GROUP BY stratum ORDER BY stratum"
    )
