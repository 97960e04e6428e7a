"""TC and GPP strings as the official libraries write them, read by our own decoder."""

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from onefold.consent.gpp import read_gpp
from onefold.consent.tcf import read_tc

HERE = Path(__file__).parent
DAY_MS = 86_400_000
FULL = ("usnat",)
SALE = ("usca", "usva", "usco", "usut", "usct", "usfl", "usmt", "usor", "ustx", "usde", "usia")
SALE += ("usne", "usnh", "usnj", "ustn", "usmn")
NUMBERS = {"usnat": 7, "usca": 8, "usva": 9, "usco": 10, "usut": 11, "usct": 12, "usfl": 13}
NUMBERS |= {"usmt": 14, "usor": 15, "ustx": 16, "usde": 17, "usia": 18, "usne": 19}
NUMBERS |= {"usnh": 20, "usnj": 21, "ustn": 22, "usmn": 23}


def encoded(specs):
    """Return the strings of specs, as the official libraries write them."""
    node = shutil.which("node")
    assert node, "Node is missing; `scripts/setup test` installs it"
    done = subprocess.run(
        [node, "consent.mjs"],
        cwd=HERE / "node",
        input=json.dumps(specs),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def some(rng, most, *, count):
    return sorted(rng.sample(range(1, most + 1), rng.randint(0, count)))


@pytest.mark.long
def test_tc_strings_say_what_the_official_encoder_was_told():
    rng = random.Random(20)
    specs = []
    for _ in range(60):
        created = 1_700_000_000_000 // DAY_MS * DAY_MS + rng.randint(0, 900) * DAY_MS
        few = some(rng, 1200, count=12)
        many = sorted(set(range(1, rng.randint(2, 900))) - set(few))
        specs.append(
            {
                "kind": "tc",
                "cmp": rng.randint(2, 4000),
                "country": rng.choice(("DE", "FR", "US", "AA")),
                "purposes": some(rng, 11, count=11),
                "interests": [one for one in some(rng, 11, count=11) if one > 6 or one == 2],
                "vendors": rng.choice((few, many)),
                "created": created,
                "updated": created + rng.randint(0, 300) * DAY_MS,
            }
        )
    for spec, text in zip(specs, encoded(specs), strict=True):
        said = read_tc(text)
        assert said.cmp_id == spec["cmp"]
        assert said.country == spec["country"]
        assert said.purposes == set(spec["purposes"])
        assert said.vendors == set(spec["vendors"])
        assert said.policy_version >= 4
        assert said.created_time == spec["created"] * 1000
        assert said.updated_time == spec["updated"] * 1000


@pytest.mark.long
def test_gpp_strings_say_what_the_official_encoder_was_told():
    rng = random.Random(21)
    specs = []
    for _ in range(60):
        sections = {}
        for name in rng.sample((*FULL, *SALE), rng.randint(1, 6)):
            fields = {"SaleOptOut": rng.randint(0, 2)}
            if name in {"usnat", "usca"}:
                fields["SharingOptOut"] = rng.randint(0, 2)
            if name != "usca":
                fields["TargetedAdvertisingOptOut"] = rng.randint(0, 2)
            if name in {"usnat", "usca"}:
                fields |= {"GpcSegmentIncluded": True, "Gpc": rng.random() < 0.3}
            sections[name] = fields
        specs.append({"kind": "gpp", "sections": sections})
    for spec, text in zip(specs, encoded(specs), strict=True):
        said = read_gpp(text)
        assert said.sections == tuple(sorted(NUMBERS[name] for name in spec["sections"]))
        assert not said.unread
        every = spec["sections"].values()
        assert said.gpc == any(fields.get("Gpc", False) for fields in every)
        for ours, theirs in (
            (said.sale, "SaleOptOut"),
            (said.sharing, "SharingOptOut"),
            (said.targeted, "TargetedAdvertisingOptOut"),
        ):
            answers = {fields.get(theirs, 0) for fields in every} - {0}
            assert ours == (None if not answers else 1 not in answers)


@pytest.mark.long
def test_a_gpp_string_carries_europes_string_and_the_us_privacy_string():
    (tc,) = encoded(
        [
            {
                "kind": "tc",
                "cmp": 31,
                "country": "DE",
                "purposes": [1, 8],
                "interests": [],
                "vendors": [2],
                "created": 1_770_000_000_000 // DAY_MS * DAY_MS,
                "updated": 1_770_000_000_000 // DAY_MS * DAY_MS,
            }
        ]
    )
    usp = {"Version": 1, "Notice": "Y", "OptOutSale": "Y", "LspaCovered": "N"}
    (text,) = encoded([{"kind": "gpp", "sections": {"uspv1": usp}, "tc": tc}])
    said = read_gpp(text)
    assert said.sections == (2, 6)
    assert read_tc(said.tc).purposes == {1, 8}
    assert said.sale is False
