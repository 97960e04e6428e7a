"""Records compared two by two: the one module that drives splink, in a process of its own.

Nothing of what is compared is written down: the engine works in memory and spills nothing, and
what comes back are numbers and ids.
"""

import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from onefold.model.errors import BadInput, MachineFailed
from onefold.store import linkage_spark

_SPARK = "spark://"
BACKENDS = ("duckdb", _SPARK + "HOST:PORT")
"""Engines that are tested; splink's interface to one is all that is asked of it."""

LEVELS: dict[str, tuple[str, ...]] = {
    "name": ("differs", "somewhat alike", "almost the same", "the same"),
    "code": ("differs", "two characters apart", "one character apart", "the same"),
    "short": ("differs", "one character apart", "the same"),
    "exact": ("differs", "the same"),
    "rare": ("differs", "the same"),
}
"""How a field is compared -> what each level means, from the farthest on; -1 is not known."""

_OURS = "f_"
"""What a field is called here: `first` or `name` mean something to an engine."""
_PRIOR = 50.0
"""What the estimate without labels counts for, in reviewed pairs."""
_SAMPLED_PAIRS = 500_000
_USUAL: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "name": ((0.04, 0.04, 0.12, 0.8), (0.943, 0.05, 0.005, 0.002)),
    "code": ((0.03, 0.02, 0.05, 0.9), (0.987, 0.01, 0.002, 0.001)),
    "short": ((0.07, 0.08, 0.85), (0.93, 0.05, 0.02)),
    "exact": ((0.1, 0.9), (0.95, 0.05)),
    "rare": ((0.15, 0.85), (0.999, 0.001)),
}
"""How a field is compared -> how often each level is usual among the same, and by chance.

They count for a few pairs, so that a handful of records is judged soberly; of many, the records
themselves tell.
"""
_USUAL_SAME, _USUAL_CHANCE = 30.0, 300.0
"""For so many pairs the usual rates count."""
_FREQUENCIES_FROM = 1_000
"""Of fewer records how often a value stands says little: twice may be the two that are the same."""
_RARE = 1e-3
"""A level that was never seen is about as rare as this, squared."""


class Compared(msgspec.Struct, frozen=True):
    """A field by which two records are compared, and how: one of `LEVELS`."""

    field: str
    how: str


class Plan(msgspec.Struct, frozen=True):
    """How records are compared.

    Attributes:
        compared: The fields.
        blocks: Columns of numbers: two records are compared that have one of them alike.
        trained: Column of numbers and the fields it is made of: where those are alike, the other
            fields' rates are estimated.
        prior: How likely two records drawn at random are the same.
        learnt: From how many pairs the rates among the same are learnt, at the least.
        records: How many records there are.
        apart: Only records of different sources are compared.
        floor: Pairs less likely than this are not told.
        most: How many pairs are told at the most, the likeliest first.
        labels: Reviewed pairs: whether the two are the same, and the level of each field.
        backend: One of `BACKENDS`.
        threads: Of the engine.
        memory: Of the engine at the most.
        seed: Of the sample by which chance agreement is estimated.
    """

    compared: tuple[Compared, ...]
    blocks: tuple[str, ...]
    trained: tuple[tuple[str, tuple[str, ...]], ...]
    prior: float
    learnt: int
    records: int
    apart: bool = False
    floor: float = 0.01
    most: int = 1_000_000
    labels: tuple[tuple[bool, dict[str, int]], ...] = ()
    backend: str = "duckdb"
    threads: int = 2
    memory: str = "1300MB"
    seed: int = 1


def scored(records: pa.Table, plan: Plan) -> pa.Table:
    """Return pairs of records that may be the same, in a process that ends with the answer.

    Args:
        records: `id`, `source`, the fields and the columns of the plan.
        plan: How they are compared.

    Returns:
        `left`, `right` (ids), `weight` (bits for being the same), `probability`, and of each
        field `level_F` (see `LEVELS`; -1 is not known) and `weight_F`, its part of the weight.

    Raises:
        BadInput: The extra is not installed.
        MachineFailed: It ended before it could say.
    """
    if not records.num_rows or not plan.blocks:
        return _named(_no_pairs(plan), records["id"])
    if plan.backend.startswith(_SPARK):
        linkage_spark.require_reached(plan.backend)
    process = subprocess.Popen(
        [sys.executable, "-m", "onefold.store.linkage"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # What an engine says when it fails may quote a value.
        stderr=None if os.environ.get("ONEFOLD_TRACE") else subprocess.DEVNULL,
        process_group=0,
    )
    if process.stdin is None or process.stdout is None:
        raise MachineFailed("The records could not be compared.", "Try again.")
    try:
        with suppress(BrokenPipeError):
            # Who is meant by a number is known here alone.
            sent = records.drop_columns(["id"] if plan.apart else ["id", "source"])
            _put(process.stdin, msgspec.msgpack.encode(plan), sent)
            process.stdin.close()
        trouble, found = _heard(process.stdout)
    except (EOFError, pa.ArrowInvalid) as error:
        message = "Comparing the records ended before it could say what it found."
        raise MachineFailed(message, "Let the machine have more memory, and try again.") from error
    finally:
        process.kill()
        process.wait()
        for end in (process.stdin, process.stdout):
            with suppress(OSError):
                end.close()
    if trouble:
        extras = "link,spark" if plan.backend.startswith(_SPARK) else "link"
        raise BadInput(trouble, f"Install it with `pip install 'onefold[{extras}]'`.")
    return _named(found, records["id"])


def compare(records: pa.Table, plan: Plan) -> pa.Table:
    """Return what `scored` does, in this process.

    Source: Fellegi & Sunter (1969), A Theory for Record Linkage; rates by expectation
    maximisation, frequent values counting less (Winkler 2006), as splink 4 has them.

    Raises:
        ModuleNotFoundError: The extra `link` is not installed.
    """
    with warnings.catch_warnings():
        # What splink imports warns of what it imports.
        warnings.simplefilter("ignore")
        return _named(_compare(records.drop_columns(["id"]), plan), records["id"])


def _named(found: pa.Table, ids: pa.ChunkedArray) -> pa.Table:
    """Return pairs with the ids of the records in place of their numbers."""
    for place, side in enumerate(("left", "right")):
        found = found.set_column(place, side, ids.take(found[side]))
    return found


def _compare(records: pa.Table, plan: Plan) -> pa.Table:
    import logging

    from splink import Linker, SettingsCreator

    logging.getLogger("splink").setLevel(logging.CRITICAL)

    settings = SettingsCreator(
        link_type="link_only" if plan.apart else "dedupe_only",
        unique_id_column_name="id",
        comparisons=[_comparison(each, plan.records) for each in plan.compared],
        blocking_rules_to_generate_predictions=[_alike(each) for each in plan.blocks],
        probability_two_random_records_match=plan.prior,
        retain_intermediate_calculation_columns=True,
        retain_matching_columns=False,
    )
    numbers = pa.array(np.arange(records.num_rows, dtype=np.int32))
    records = records.append_column("id", numbers)
    ours = {each.field: _OURS + each.field for each in plan.compared}
    records = records.rename_columns([ours.get(name, name) for name in records.column_names])
    tables = _by_source(records) if plan.apart else [records]
    engine = _engine(plan)
    on_spark = plan.backend.startswith(_SPARK)
    taken = linkage_spark.given(engine, tables) if on_spark else tables
    linker = Linker(taken, settings, db_api=engine, set_up_basic_logging=False)
    _train(linker, plan)
    found = linker.inference.predict(threshold_match_probability=plan.floor)
    pairs = linkage_spark.best(found, plan.most) if on_spark else _best(found, plan.most)
    return _told(pairs, linker, plan)


def _engine(plan: Plan) -> Any:
    if plan.backend.startswith(_SPARK):
        return linkage_spark.spark_api(plan.backend)
    if plan.backend not in BACKENDS:
        raise BadInput(f"No backend `{plan.backend}`.", f"Use one of: {', '.join(BACKENDS)}.")
    import duckdb
    from splink import DuckDBAPI

    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": plan.threads,
        "memory_limit": plan.memory,
        "preserve_insertion_order": False,
        # What is compared is of persons: it never goes to a disk.
        "temp_directory": "",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    return DuckDBAPI(duckdb.connect(":memory:", config=settings))


def _comparison(compared: Compared, records: int) -> Any:
    import splink.comparison_library as library

    field = _OURS + compared.field
    match compared.how:
        case "name":
            found: Any = library.JaroWinklerAtThresholds(field, [0.92, 0.8])
        case "code":
            return library.DamerauLevenshteinAtThresholds(field, [1, 2])
        case "short":
            found = library.DamerauLevenshteinAtThresholds(field, [1])
        case _:
            found = library.ExactMatch(field)
    return found.configure(term_frequency_adjustments=records >= _FREQUENCIES_FROM)


def _alike(*columns: str) -> str:
    return " AND ".join(f"l.{column} = r.{column}" for column in columns)


def _by_source(records: pa.Table) -> list[pa.Table]:
    sources = records["source"]
    names = sorted(pc.unique(sources).to_pylist())
    return [records.filter(pc.equal(sources, name)).drop_columns(["source"]) for name in names]


def _train(linker: Any, plan: Plan) -> None:
    """Let a linker learn its rates: by chance from a sample, among the same where some are alike.

    What people decided moves the latter: the estimate counts for some pairs, each reviewed pair
    for one more (a Dirichlet prior). How often others agree by chance is not learnt from reviews,
    for only pairs that look alike are ever reviewed.
    """
    from splink.internals.exceptions import SplinkException

    training = linker.training
    training.estimate_u_using_random_sampling(max_pairs=_SAMPLED_PAIRS, seed=plan.seed)
    settings = linker._settings_obj  # noqa: SLF001 - there is no other way in
    comparisons = list(settings.core_model_settings.comparisons)
    for block, fields in plan.trained:
        # A block without a pair, or all of whose pairs agree, teaches nothing.
        with suppress(SplinkException):
            training.estimate_parameters_using_expectation_maximisation(
                _alike(block, *(_OURS + name for name in fields)),
                fix_probability_two_random_records_match=True,
            )
        # Training that ended early leaves out what its block is made of, and another prior.
        if len(settings.core_model_settings.comparisons) < len(comparisons):
            settings.core_model_settings.comparisons = list(comparisons)
        settings.core_model_settings.probability_two_random_records_match = plan.prior
    same = [levels for decided, levels in plan.labels if decided]
    chances = min(plan.records * (plan.records - 1) / 2, _SAMPLED_PAIRS)
    for each, comparison in zip(plan.compared, _comparisons(linker, plan), strict=True):
        # Levels stand from the nearest to the farthest; the last one is 0.
        levels = [level for level in comparison.comparison_levels if not level.is_null_level][::-1]
        seen = [one[each.field] for one in same if one.get(each.field, -1) >= 0]
        among, chance = _USUAL[each.how]
        told = _mixed([level.m_probability for level in levels], plan.learnt, among, _USUAL_SAME)
        by_chance = _mixed([x.u_probability for x in levels], chances, chance, _USUAL_CHANCE)
        for number, level in enumerate(levels):
            reviewed = told[number] * _PRIOR + seen.count(number)
            level.m_probability = reviewed / (_PRIOR + len(seen))
            level.u_probability = by_chance[number]


def _comparisons(linker: Any, plan: Plan) -> list[Any]:
    """Return what the linker knows of each field, in the order of the plan."""
    model = linker._settings_obj.core_model_settings  # noqa: SLF001 - there is no other way in
    named = {each.output_column_name: each for each in model.comparisons}
    return [named[_OURS + each.field] for each in plan.compared]


def _mixed(
    rates: Sequence[float | None], pairs: float, usual: Sequence[float], weight: float
) -> list[float]:
    """Return rates learnt from some pairs, the usual ones counting for some more."""
    if any(rate is None for rate in rates):
        return list(usual)
    kept = [max(float(rate or 0.0), _RARE**2) for rate in rates]
    mixed = [
        (rate * pairs + each * weight) / (pairs + weight)
        for rate, each in zip(kept, usual, strict=True)
    ]
    return [rate / sum(mixed) for rate in mixed]


def _best(found: Any, most: int) -> pa.Table:
    relation = found.as_duckdbpyrelation().order("match_weight DESC, id_l, id_r").limit(most)
    told: pa.Table = relation.to_arrow_table()
    return told


def _told(found: pa.Table, linker: Any, plan: Plan) -> pa.Table:
    """Return the columns that are told of each pair.

    Which level a field is at shows in its factor; the engine keeps no more, so that a million
    pairs fit.
    """
    columns = {
        "left": found["id_l"],
        "right": found["id_r"],
        "weight": found["match_weight"],
        "probability": found["match_probability"],
    }
    for each, comparison in zip(plan.compared, _comparisons(linker, plan), strict=True):
        factors = found[f"bf_{_OURS}{each.field}"].to_numpy()
        bits = np.log2(factors)
        adjusted = f"bf_tf_adj_{_OURS}{each.field}"
        if adjusted in found.column_names:
            bits = bits + np.log2(found[adjusted].to_numpy())
        columns[f"level_{each.field}"] = pa.array(_levels(factors, comparison))
        columns[f"weight_{each.field}"] = pa.array(bits)
    return pa.table(columns)


def _levels(factors: "np.ndarray[Any, Any]", comparison: Any) -> "np.ndarray[Any, Any]":
    """Return the level of each factor: the one whose own it is nearest to."""
    levels = [level for level in comparison.comparison_levels if not level.is_null_level]
    known = {-1: 1.0}
    for place, level in enumerate(levels):
        known[len(levels) - 1 - place] = level.m_probability / level.u_probability
    numbers = np.array(list(known), np.int16)
    apart = np.abs(np.log(factors)[:, None] - np.log(list(known.values()))[None, :])
    return numbers[apart.argmin(axis=1)] if len(factors) else np.zeros(0, np.int16)


def _no_pairs(plan: Plan) -> pa.Table:
    columns: dict[str, Any] = {"left": pa.int32(), "right": pa.int32()}
    columns |= {"weight": pa.float64(), "probability": pa.float64()}
    for each in plan.compared:
        columns |= {f"level_{each.field}": pa.int16(), f"weight_{each.field}": pa.float64()}
    return pa.table({name: pa.array([], kind) for name, kind in columns.items()})


def _put(end: IO[bytes], said: bytes, records: pa.Table) -> None:
    end.write(len(said).to_bytes(8, "big"))
    end.write(said)
    with pa.ipc.new_stream(end, records.schema) as stream:
        stream.write_table(records)
    end.flush()


def _heard(end: IO[bytes]) -> tuple[str, pa.Table]:
    size = end.read(8)
    if len(size) < 8:
        raise EOFError
    said = end.read(int.from_bytes(size, "big"))
    return said.decode(), pa.ipc.open_stream(end).read_all()


def main() -> None:
    """Compare what stands on standard input; say it on standard output."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr
    size = int.from_bytes(sys.stdin.buffer.read(8), "big")
    plan = msgspec.msgpack.decode(sys.stdin.buffer.read(size), type=Plan)
    records = pa.ipc.open_stream(sys.stdin.buffer).read_all()
    trouble, found = "", _no_pairs(plan)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _compare(records, plan)
    except ModuleNotFoundError as error:
        trouble = f"Records are compared by {error.name}, which is not installed."
    with suppress(BrokenPipeError):
        _put(answers, trouble.encode(), found)
        answers.close()


if __name__ == "__main__":
    main()
