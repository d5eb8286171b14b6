"""`dbutils.widgets`: a parameter that came with the run wins over the default, also before a widget is declared."""

from __future__ import annotations

from collections.abc import Sequence


class InputWidgetNotDefined(Exception):
    """Asked for a widget that is neither declared nor a parameter of the run."""


class Widgets:
    """The widgets of one notebook run; all values are strings."""

    def __init__(self, parameters: dict[str, str]) -> None:
        self._parameters = dict(parameters)
        self._defaults: dict[str, str] = {}

    def text(self, name: str, defaultValue: str = "", label: str | None = None) -> None:
        self._defaults[name] = str(defaultValue)

    def dropdown(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:
        if defaultValue not in choices:
            raise ValueError(f"The default value {defaultValue!r} of widget {name!r} is not one of its choices.")
        self._defaults[name] = str(defaultValue)

    def multiselect(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:
        self.dropdown(name, defaultValue, choices, label)

    def combobox(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:
        self._defaults[name] = str(defaultValue)

    def get(self, name: str) -> str:
        """Raises: InputWidgetNotDefined."""
        if name in self._parameters:
            return self._parameters[name]
        if name in self._defaults:
            return self._defaults[name]
        raise InputWidgetNotDefined(f"No input widget named {name} is defined")

    def getArgument(self, name: str, defaultValue: str | None = None) -> str:
        try:
            return self.get(name)
        except InputWidgetNotDefined:
            if defaultValue is None:
                raise
            return defaultValue

    def getAll(self) -> dict[str, str]:
        return {**self._defaults, **self._parameters}

    def remove(self, name: str) -> None:
        self._defaults.pop(name, None)

    def removeAll(self) -> None:
        self._defaults.clear()

    def give(self, values: dict[str, str]) -> None:
        """Values from a `%run … $name="value"` line."""
        self._parameters.update(values)
