"""The keeping of the catalogue: descriptions made, brought in, handed out, and waiting events."""

from onefold.collect import auditing as audits
from onefold.collect import tail
from onefold.collect.audit_queries import MOST_SAMPLED, last_seen, recorded, sample
from onefold.collect.catalogue import COMMON, promoted
from onefold.collect.changes import Breakage, Use, broken_uses, replayed
from onefold.collect.erasures import (
    EXPIRE,
    MASK,
    Entry,
    Erasure,
    Link,
    entry_in,
    erasures_of,
    expired_of,
    links_in,
    masked_of,
)
from onefold.collect.erasures import KIND as ERASE
from onefold.collect.iglu import read_schemas, schemas_of
from onefold.collect.inference import heading, infer
from onefold.collect.masking import Mask
from onefold.collect.personal import address_kind
from onefold.collect.plans import plan_of, read_plan
from onefold.collect.records import CONFLICT
from onefold.collect.reentry import KIND as RETRY
from onefold.collect.reentry import (
    Mended,
    Outlook,
    Retry,
    mended,
    outlook,
    retries_in,
    retries_of,
    rows_at,
)
from onefold.collect.rules import consent_rules, is_seed, rules_of, write_seeds
from onefold.collect.writing import Written, write

__all__ = [
    "COMMON",
    "CONFLICT",
    "ERASE",
    "EXPIRE",
    "MASK",
    "MOST_SAMPLED",
    "RETRY",
    "Breakage",
    "Entry",
    "Erasure",
    "Link",
    "Mask",
    "Mended",
    "Outlook",
    "Retry",
    "Use",
    "Written",
    "address_kind",
    "audits",
    "broken_uses",
    "consent_rules",
    "entry_in",
    "erasures_of",
    "expired_of",
    "heading",
    "infer",
    "is_seed",
    "last_seen",
    "links_in",
    "masked_of",
    "mended",
    "outlook",
    "plan_of",
    "promoted",
    "read_plan",
    "read_schemas",
    "recorded",
    "replayed",
    "retries_in",
    "retries_of",
    "rows_at",
    "rules_of",
    "sample",
    "schemas_of",
    "tail",
    "write",
    "write_seeds",
]
