"""What `verify` looks at in Customer.io, apart from the cohort's own profiles and events."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from airflow_provider_cio.core.contract.words import Model


class SpotCheck(Model):
    """A segment's size against a count in Redshift, or a campaign that the cohort's events must start."""

    segment: str | None = Field(None, description="Name of a segment, as Customer.io shows it")
    expect: str | None = Field(None, description="SQL of one number: how many people the segment should hold")
    tolerance: Annotated[int, Field(ge=0, description="People by which the two may differ")] = 0
    campaign: str | None = Field(None, description="Events: name of a campaign that waits for this event")

    @model_validator(mode="after")
    def _one_kind(self) -> SpotCheck:
        if (self.segment is None) == (self.campaign is None) or (self.segment is None) != (
            self.expect is None
        ):
            raise ValueError("a check is `segment` with `expect`, or `campaign`")
        return self
