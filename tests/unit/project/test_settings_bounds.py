"""Every setting of every service is bounded: numbers on both sides, texts by a form, and a wrong one is one line."""

import math
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import pytest
from pydantic import AfterValidator
from pydantic.fields import FieldInfo

from faststream_bridge.settings import BridgeSettings
from nats_js_init.settings import InitSettings
from operator_console.settings import ConsoleSettings
from q_core_agent.settings import AgentSettings
from q_sim_radar.settings import RadarSettings
from q_sim_service.settings import SimulatorSettings
from qiki.runtime.settings import ServiceSettings, SettingsError, bounds, load_settings
from registrar.settings import RegistrarSettings

MODELS = [
    AgentSettings,
    BridgeSettings,
    ConsoleSettings,
    InitSettings,
    RadarSettings,
    RegistrarSettings,
    SimulatorSettings,
]
SERVICES = Path(__file__).parents[3] / "services"
FIELDS = [(model, name) for model in MODELS for name in model.model_fields]
CLOSED = (bool, Path, UUID, type(None))
"""Types whose values need no bound."""


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for _, name in FIELDS:
        monkeypatch.delenv(name.upper(), raising=False)


def parts(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The types of a field, each with what it is annotated with."""
    if hasattr(annotation, "__metadata__"):
        yield from parts(annotation.__origin__, (*metadata, *annotation.__metadata__))
    elif get_origin(annotation) is Literal:
        yield Literal, metadata
    elif get_args(annotation):
        for one in get_args(annotation):
            yield from parts(one, metadata)
    else:
        yield annotation, metadata


def unbounded(field: FieldInfo) -> list[str]:
    """The types in a field whose values have no bound."""
    found = []
    for kind, metadata in parts(field.annotation, tuple(field.metadata)):
        if kind in CLOSED or kind is Literal or issubclass(kind, Enum):
            continue
        checked = any(isinstance(one, AfterValidator) or getattr(one, "pattern", None) for one in metadata)
        if not (bounds(field) if kind in {int, float} else checked):
            found.append(kind.__name__)
    return found


def test_the_models_are_all_there():
    modules = sorted(path.parent.name for path in SERVICES.glob("*/settings.py"))
    found = [
        model
        for name in modules
        for model in vars(import_module(f"{name}.settings")).values()
        if isinstance(model, type) and issubclass(model, ServiceSettings) and model.__module__ == f"{name}.settings"
    ]
    assert {model for model in found if model.__name__ != "_Sizes"} == set(MODELS)


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=lambda one: getattr(one, "__name__", one))
def test_a_setting_is_bounded(model: type[ServiceSettings], name: str):
    assert unbounded(model.model_fields[name]) == []


NUMBERS = [(model, name) for model, name in FIELDS if bounds(model.model_fields[name])]


@pytest.mark.parametrize(("model", "name"), NUMBERS, ids=lambda one: getattr(one, "__name__", one))
def test_a_number_beyond_its_bounds_is_one_line_with_variable_value_and_bounds(
    model: type[ServiceSettings], name: str, monkeypatch: pytest.MonkeyPatch
):
    low, high = bounds(model.model_fields[name]) or ("", "")
    for wrong in (f"{math.floor(float(low)) - 1}", f"{float(high) * 2 + 1:.0f}", "nan", "1e999"):
        monkeypatch.setenv(name.upper(), wrong)
        with pytest.raises(SettingsError) as fault:
            load_settings(model)
        text = str(fault.value)
        assert text.startswith(f"wrong setting: {name.upper()}: expected a "), text
        assert f" from {low} to {high}, got {wrong!r}" in text
        assert "\n" not in text


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (SimulatorSettings, "TELEMETRY_INTERVAL_SEC", "1e-9"),
        (SimulatorSettings, "QIKI_SCENARIO", "a\x1b[2J"),
        (SimulatorSettings, "QIKI_SCENARIO", "x" * 5000),
        (SimulatorSettings, "QSIM_LISTEN", "127.0.0.1:" + "9" * 5000),
        (RegistrarSettings, "AUDIT_MAX_BYTES", "1"),
        (AgentSettings, "AGENT_ENGINES", "a\nb"),
        (AgentSettings, "AGENT_TICK_SEC", "1e-9"),
        (InitSettings, "RADAR_MAX_BYTES", "1"),
        (BridgeSettings, "NATS_HTTP", "http://x\x1b:1"),
        (ConsoleSettings, "CONSOLE_SHOWN", '{"sources": 3}'),
        (ConsoleSettings, "CONSOLE_LISTEN", "nowhere"),
    ],
)
def test_what_was_accepted_and_could_not_work_is_refused(
    model: type[ServiceSettings], name: str, value: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^wrong setting: {name}: expected [^\n]+$") as fault:
        load_settings(model)
    assert len(str(fault.value)) < 300
