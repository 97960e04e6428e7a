"""The questions of Python's door: the same methods wherever the workspace is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from onefold.found.records import Found
from onefold.model.errors import BadInput


def plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a call as it takes them.

    A Python keyword loses its trailing `_`; days and times become texts.

    >>> plain({"from_": date(2026, 11, 1), "every": "day"})
    {'from': '2026-11-01', 'every': 'day'}
    """
    return {
        key.removesuffix("_"): value.isoformat() if isinstance(value, date | datetime) else value
        for key, value in params.items()
        if value is not None
    }


class Questions(ABC):
    """What can be asked of a workspace, here or of a server."""

    @abstractmethod
    def ask(self, name: str, /, *, as_user: str | None = None, **params: Any) -> dict[str, Any]:
        """Return what a call answers, as the API does."""

    def find(self, name: str, /, *, as_user: str | None = None, **params: Any) -> Found:
        """Return what a call that answers with a table found: Arrow, rows, a chart in a notebook.

        Args:
            name: One of `calls()`, such as `purchases`.
            as_user: Under whose role and policies; the owner's when left out.
            params: As for `ask`.

        Raises:
            NotFound: There is no such call, or nothing of the name asked for.
            NotAllowed: The user may not.
            BadInput: A parameter cannot be used, or the answer is no table.
        """
        body = self.ask(name, as_user=as_user, **params)
        if "columns" not in body or "rows" not in body:
            raise BadInput(f"`{name}` answers with no table.", f'Use `ask("{name}", ...)`.')
        given = (f"{key}={value!r}" for key, value in plain(params).items())
        return Found(f"{name}({', '.join(given)})", body)

    def metrics(self, *, as_user: str | None = None) -> Found:
        """Return the metrics that are defined: name, meaning, unit, owner, splits, purpose."""
        return self.find("metrics", as_user=as_user)

    def metric(self, name: str, *, as_user: str | None = None, **params: Any) -> Found:
        """Return a metric with its intervals; over the last 28 whole days unless said.

        Args:
            name: Its name, one of `metrics()`.
            as_user: Under whose role and policies; the owner's when left out.
            params: `from_`, `to` (days, the last not counted), `every` (`day`, `week`, `month`),
                `by`, `compare` (`former`: beside the days before), `cumulative` (of a count or a
                sum, from the first day on), `segment`, `purpose`, `environment`, `include`.
        """
        return self.find("metric", as_user=as_user, name=name, **params)

    def funnel(self, *events: str, as_user: str | None = None, **params: Any) -> Found:
        """Return how many people did some events in their order.

        Args:
            events: Their names, the first one first.
            as_user: Under whose role and policies; the owner's when left out.
            params: `within` (such as `7d`), `by`, and days and terms as for `metric`.
        """
        return self.find("funnel", as_user=as_user, events=events, **params)

    def funnel_times(self, *events: str, as_user: str | None = None, **params: Any) -> Found:
        """Return how long people took from the first of some events to each later one.

        Args:
            events: Their names, the first one first.
            as_user: Under whose role and policies; the owner's when left out.
            params: As for `funnel`.
        """
        return self.find("funnel times", as_user=as_user, events=events, **params)

    def paths(self, event: str, *, as_user: str | None = None, **params: Any) -> Found:
        """Return what people did after, or before, the first time that they did an event.

        Args:
            event: Its name.
            as_user: Under whose role and policies; the owner's when left out.
            params: `direction` (`after`, `before`), `steps`, `within` (`visit`, or such as `2h`),
                `top` (events a step that have a row), `until`, `skip` (names of events),
                `collapse` (`repeats`), `by`, and days and terms as for `metric`.
        """
        return self.find("paths", as_user=as_user, event=event, **params)

    def distribution(self, event: str, *, as_user: str | None = None, **params: Any) -> Found:
        """Return how often people did an event, or what a number of it adds up to: its spread.

        Args:
            event: Its name.
            as_user: Under whose role and policies; the owner's when left out.
            params: `of` (the property that is added up), `edges` (ascending), `by`, and days and
                terms as for `metric`.
        """
        return self.find("distribution", as_user=as_user, event=event, **params)

    def retention(
        self, start: str, return_: str, *, as_user: str | None = None, **params: Any
    ) -> Found:
        """Return who came back in the periods after the first time, by cohort.

        Args:
            start: The event that begins.
            return_: The event that tells of a return.
            as_user: Under whose role and policies; the owner's when left out.
            params: `every`, `kind` (`bounded`, `rolling`), and days and terms as for `metric`.
        """
        return self.find("retention", as_user=as_user, start=start, return_=return_, **params)

    def sql(self, query: str, *, as_user: str | None = None, **params: Any) -> Found:
        """Return what one SELECT answers: read-only, over what the user may see, within limits.

        Args:
            query: In DuckDB's dialect; `tables()` lists what it may ask of.
            as_user: Under whose role and policies; the owner's when left out.
            params: `as_of`, `rows` (at most), `seconds`, `purpose`, `environment`, `include`.
        """
        return self.find("sql", as_user=as_user, query=query, **params)

    def tables(self, *, as_user: str | None = None, **params: Any) -> Found:
        """Return the tables that `sql` may ask, with their columns."""
        return self.find("sql tables", as_user=as_user, **params)

    def measure(self, metric: str, **params: Any) -> list[dict[str, Any]]:
        """Return the rows of a metric by column name: estimate, low, high, n and the rest.

        Args:
            metric: Its name.
            params: `from_`, `to` (days), `every`, `by`, `purpose`, `environment`.
        """
        answer = self.ask("metric", name=metric, **params)
        names = [column["name"] for column in answer["columns"]]
        return [dict(zip(names, row, strict=True)) for row in answer["rows"]]
