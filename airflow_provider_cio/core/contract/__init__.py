"""The typed contract: what `dags/contract.yaml` and `dags/syncs/*.yaml` may say.

Loading with line numbers lives in :mod:`airflow_provider_cio.core.contract_files`, rules across files in
:mod:`airflow_provider_cio.core.contract_rules`.
"""

from airflow_provider_cio.core.contract.checks import SpotCheck
from airflow_provider_cio.core.contract.fields import FieldMapping, Mapped
from airflow_provider_cio.core.contract.policies import (
    Deadline,
    ExitFlag,
    ExitSegment,
    Guards,
    LeaveSegment,
    MergeRule,
    Notify,
    OnConflictMerge,
    OnExit,
    SetFlag,
)
from airflow_provider_cio.core.contract.protections import Backfill, Columns, Reconcile, Window
from airflow_provider_cio.core.contract.sync import Device, MappingTest, Sync
from airflow_provider_cio.core.contract.words import (
    Canonical,
    ColumnName,
    Duration,
    Identifier,
    Kind,
    Model,
    Name,
    Nulls,
    Percent,
    TimeZone,
    ValueType,
)
from airflow_provider_cio.core.contract.workspace import (
    Attribute,
    Connections,
    Contract,
    Event,
    EventProperty,
    Staging,
)

__all__ = [
    "Attribute",
    "Backfill",
    "Canonical",
    "ColumnName",
    "Columns",
    "Connections",
    "Contract",
    "Deadline",
    "Device",
    "Duration",
    "Event",
    "EventProperty",
    "ExitFlag",
    "ExitSegment",
    "FieldMapping",
    "Guards",
    "Identifier",
    "Kind",
    "LeaveSegment",
    "Mapped",
    "MappingTest",
    "MergeRule",
    "Model",
    "Name",
    "Notify",
    "Nulls",
    "OnConflictMerge",
    "OnExit",
    "Percent",
    "Reconcile",
    "SetFlag",
    "SpotCheck",
    "Staging",
    "Sync",
    "TimeZone",
    "ValueType",
    "Window",
]
