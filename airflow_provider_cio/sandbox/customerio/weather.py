"""Bad weather: faults that strike requests at random, by a seed, until they are switched off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from airflow_provider_cio.sandbox.customerio.faults import Fault, read_fault


@dataclass(frozen=True)
class Front:
    """One kind of fault and the share of requests that it strikes, 0 to 1."""

    share: float
    fault: Fault


@dataclass
class Weather:
    """The same seed and the same order of requests meet the same faults."""

    seed: int = 0
    fronts: list[Front] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = Random(self.seed)

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Weather:
        """From JSON: ``seed``, and ``faults``, each a fault with its ``share``; ValueError says what is wrong."""
        if not isinstance(value.get("faults"), list) or type(value.get("seed")) is not int:
            raise ValueError("the weather has a seed (a whole number) and a list of faults")
        fronts = []
        for each in value["faults"]:
            share = each.get("share") if isinstance(each, dict) else None
            if not isinstance(share, int | float) or not 0 <= share <= 1:
                raise ValueError("each fault of the weather has a share between 0 and 1")
            fronts.append(Front(float(share), read_fault({k: v for k, v in each.items() if k != "share"})))
        if sum(front.share for front in fronts) > 1:
            raise ValueError("the shares of the weather's faults add up to more than 1")
        return cls(value["seed"], fronts)

    def clear(self) -> None:
        self.fronts = []

    def as_dict(self) -> dict[str, Any]:
        faults = [{**asdict(front.fault), "share": front.share} for front in self.fronts]
        return {"seed": self.seed, "faults": faults}

    def strike(self, path: str, body: bytes) -> Fault | None:
        """What hits this request, if anything."""
        if not self.fronts:
            return None
        roll = self._chance.random()
        for front in self.fronts:
            roll -= front.share
            if roll < 0:
                return front.fault if front.fault.concerns(path, body) else None
        return None
