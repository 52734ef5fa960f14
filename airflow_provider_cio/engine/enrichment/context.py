"""What the verbs of an enrichment need, and what one build is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from airflow_provider_cio.core.columns import Family
from airflow_provider_cio.core.models.files import ModelFile, ModelFolder
from airflow_provider_cio.core.models.lineage import Lineage, in_order, lineage
from airflow_provider_cio.core.models.render import Rendering
from airflow_provider_cio.core.models.settings import Models
from airflow_provider_cio.warehouse.session import Warehouse


@dataclass(frozen=True)
class EnrichmentContext:
    """The models, their settings, and Redshift."""

    models: Models
    folder: ModelFolder
    warehouse: Warehouse

    @cached_property
    def lineage(self) -> Lineage:
        """Which model reads which."""
        return lineage(self.folder, self.models)

    @cached_property
    def order(self) -> list[str]:
        """Each model after those that it reads."""
        return in_order(self.lineage)

    @cached_property
    def fingerprint(self) -> str:
        """Of all models and settings: rows of an earlier build are kept only where it is the same."""
        texts = [f"{model.name}\n{model.text}" for model in self.folder.models.values()]
        texts.append(self.models.model_dump_json(exclude={"grants", "vip"}))
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]

    def public(self, model: ModelFile) -> str:
        """The name under which a model is read."""
        schemas = self.models.schemas
        return f"{schemas.marts if model.layer == 'marts' else schemas.staging}.{model.name}"


@dataclass(frozen=True)
class Build:
    """One build. It goes from task to task as a dict of plain values.

    :param as_of: nothing at or after it is seen; aware.
    :param since: events of customers who were touched at or after it are read again; None reads all.
    :param families: of mapped columns, by `source.column`, as Redshift described them.
    :param public: models that have a public table from an earlier build.
    """

    build_id: str
    as_of: datetime
    since: datetime | None
    families: Mapping[str, Family]
    public: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For XCom."""
        since = None if self.since is None else self.since.isoformat()
        return asdict(self) | {
            "as_of": self.as_of.isoformat(),
            "since": since,
            "families": dict(self.families),
            "public": list(self.public),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Build:
        """The inverse of :meth:`to_dict`."""
        since = values["since"]
        return cls(
            values["build_id"],
            datetime.fromisoformat(values["as_of"]),
            None if since is None else datetime.fromisoformat(since),
            values["families"],
            tuple(values["public"]),
        )

    def relation(self, ctx: EnrichmentContext, model: str) -> str:
        """The model's table or view of this build."""
        return f"{ctx.models.schemas.build}.{model}__{self.build_id.lower()}"

    def rendering(self, ctx: EnrichmentContext) -> Rendering:
        """What the templates of this build see."""

        def earlier(model: str) -> str | None:
            kept = self.since is not None and model in self.public
            return ctx.public(ctx.folder.models[model]) if kept else None

        families = {(key.split(".")[0], key.split(".")[1]): value for key, value in self.families.items()}
        return Rendering(
            ctx.models,
            self.as_of,
            lambda name: self.relation(ctx, name),
            families,
            self.since,
            incremental=earlier,
        )


def utc(moment: datetime) -> datetime:
    """An aware moment; one without a zone is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
