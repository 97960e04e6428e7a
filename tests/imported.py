"""Tables brought into a workspace as somebody would: a CSV file and the mapping beside it."""

from onefold.model.records import OWNER
from onefold.runtime import call


def bring(workspace, name, table, columns, rows):
    """Bring rows into a table, each column by its own name; return what the import told."""
    folder = workspace.folder / "imports"
    folder.mkdir(exist_ok=True)
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    told = [f"import: {name}", f"table: {table}", f"file: {name}.csv", "columns:"]
    told += [
        "  amount_micros: {from: amount_micros, currency: {value: EUR}}"
        if column == "amount_micros"
        else f"  {column}: {column}"
        for column in columns
    ]
    (folder / f"{name}.yaml").write_text("\n".join(told) + "\n")
    return call(workspace, OWNER, "import", {"mapping": f"imports/{name}.yaml"}).body
