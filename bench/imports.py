"""How fast records come in: CSV rows a second into the facts, beside DuckDB's own reader.

Ours takes the whole way: read, judge, reconcile to the cent, into the log (fsync), folded into the
facts with every version kept for an undo. The peer reads the same file into a table of a file.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from figures import Figure, report
from onefold.model.records import OWNER
from onefold.runtime import Workspace, call, create_workspace, open_workspace

ROWS = 1_000_000
BAR = 0.5
MAPPING = """\
import: invoices
table: spend
file: invoices.csv
columns:
  spend_id: number
  account_id: customer
  campaign_id: campaign
  kind: kind
  spend_date: day
  amount_micros: {from: amount, currency: {from: cur}}
"""


def write_file(folder: Path, rows: int) -> Path:
    """Write invoices and their mapping; return the mapping."""
    chance = random.Random(7)
    with (folder / "invoices.csv").open("w", encoding="utf-8") as file:
        file.write("number,customer,campaign,kind,day,amount,cur\n")
        for number in range(rows):
            day = f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}"
            amount = f"{chance.randrange(1, 999_999) / 100:.2f}"
            file.write(
                f"INV-{number},acc-{number % 5000},c-{number % 300},invoice,{day},{amount},EUR\n"
            )
    mapping = folder / "invoices.yaml"
    mapping.write_text(MAPPING, encoding="utf-8")
    return mapping


def peer_rate(folder: Path, rows: int) -> tuple[float, float]:
    """Return rows a second of DuckDB's reader into a table of a file, on all its threads.

    And rows a second of processor time, which other work on the machine hardly moves.
    """
    connection = duckdb.connect(str(folder / "peer.duckdb"))
    began, spent = time.perf_counter(), time.process_time()
    connection.execute(
        "CREATE TABLE invoices AS SELECT * FROM read_csv(?)", [str(folder / "invoices.csv")]
    ).fetchall()
    seconds, spent = time.perf_counter() - began, time.process_time() - spent
    connection.close()
    return rows / seconds, rows / spent


def our_rates(folder: Path, mapping: Path, rows: int) -> tuple[float, float, float]:
    """Return rows a second of an import, by the clock and of processor time, and of its undo."""
    create_workspace(folder / "ours")
    workspace = open_workspace(folder / "ours")
    try:
        _warm(workspace, folder)
        began, spent = time.perf_counter(), time.process_time()
        done = call(workspace, OWNER, "import", {"mapping": str(mapping)}).body
        seconds, spent = time.perf_counter() - began, time.process_time() - spent
        assert done["rows"][0][2] == rows
        began = time.perf_counter()
        call(workspace, OWNER, "undo", {"run": done["run"]})
        undone = time.perf_counter() - began
    finally:
        workspace.close()
    return rows / seconds, rows / spent, rows / undone


def _warm(workspace: Workspace, folder: Path) -> None:
    """Bring a few rows in and take them back, so that engines are loaded when it counts."""
    (folder / "few").mkdir()
    run = call(workspace, OWNER, "import", {"mapping": str(write_file(folder / "few", 9000))}).body
    call(workspace, OWNER, "undo", {"run": run["run"]})


def main() -> None:
    """Measure and report."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mapping = write_file(folder, rows)
        peer, peer_spent = peer_rate(folder, rows)
        ours, spent, undone = our_rates(folder, mapping, rows)
    report(
        "imports",
        [
            Figure(
                "CSV rows into facts",
                ours,
                "rows/s",
                bar=BAR * peer,
                more_is_better=True,
                peer=peer,
                peer_name="DuckDB's CSV reader",
            ),
            Figure(
                "CSV rows into facts, a second of processor time",
                spent,
                "rows/s",
                peer=peer_spent,
                peer_name="DuckDB's CSV reader",
            ),
            Figure("rows taken back by an undo", undone, "rows/s"),
        ],
    )


if __name__ == "__main__":
    main()
