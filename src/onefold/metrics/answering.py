"""Who answers for a metric: its key result, the functions that contribute, owners of its steps."""

from onefold.metrics.records import Answering
from onefold.model.documents import Fields


def read_answering(fields: Fields) -> Answering:
    """Return who answers for what of a metric, from the fields of its definition.

    `moves` names the key result, `functions` who contributes, `steps` owners by step, `certified`
    asks for the owner's signature.

    Raises:
        BadInput: One of them cannot be used; with file, line and column.
    """
    steps = fields.fields("steps")
    named = () if steps is None else tuple((name, steps.text(name)) for name in steps.names())
    return Answering(
        moves=fields.text("moves", ""),
        functions=fields.texts("functions", ()),
        steps=named,
        certified=fields.flag("certified", default=False),
    )
