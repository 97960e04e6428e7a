"""Answers are kept by question and version of the data, and questions end."""

import threading
import time

import duckdb
import pyarrow as pa
import pytest

from onefold.model.errors import BadInput, Conflict
from onefold.model.waiting import leaving
from onefold.store.answers import Answers
from onefold.store.facts_duckdb import DuckFacts
from onefold.store.watching import Watcher

ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = 7"


def table(value, size=1):
    return pa.table({"a": pa.array([value] * size, pa.int64())})


def test_the_same_question_is_worked_out_once_until_the_data_moves():
    answers, asked = Answers(), []

    def make():
        asked.append(1)
        return table(len(asked))

    assert answers.get("q", make) is answers.get("q", make)
    assert answers.get("other", make).column(0)[0].as_py() == 2
    answers.moved()
    assert answers.get("q", make).column(0)[0].as_py() == 3


def test_an_answer_begun_before_the_data_moved_is_not_kept():
    answers = Answers()

    def make():
        answers.moved()
        return table(1)

    assert answers.get("q", make).column(0)[0].as_py() == 1
    assert answers.get("q", lambda: table(2)).column(0)[0].as_py() == 2


def test_of_many_who_ask_at_once_one_works_it_out():
    answers, asked, go = Answers(), [], threading.Event()

    def make():
        asked.append(1)
        go.wait(5)
        return table(len(asked))

    found = []
    threads = [
        threading.Thread(target=lambda: found.append(answers.get("q", make))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(5)
    assert len(asked) == 1
    assert len(found) == 6


def test_who_waited_for_one_that_failed_works_it_out():
    answers, begun, go = Answers(), threading.Event(), threading.Event()

    def fail():
        begun.set()
        go.wait(5)
        raise BadInput("No.", "Ask otherwise.")

    def first():
        with pytest.raises(BadInput):
            answers.get("q", fail)

    one = threading.Thread(target=first)
    one.start()
    begun.wait(5)
    found = []
    other = threading.Thread(target=lambda: found.append(answers.get("q", lambda: table(7))))
    other.start()
    go.set()
    one.join(5)
    other.join(5)
    assert found[0].column(0)[0].as_py() == 7


def test_no_more_is_kept_than_may_be():
    answers = Answers(most_bytes=20_000, largest_bytes=9_000)
    made = {name: table(1, 1000) for name in ("a", "b", "c")}
    for name, one in made.items():
        assert answers.get(name, lambda one=one: one) is one
    assert answers.get("c", lambda: table(2)) is made["c"]
    assert answers.get("a", lambda: table(2)) is not made["a"]
    large = table(1, 2000)
    assert answers.get("large", lambda: large) is large
    assert answers.get("large", lambda: table(5)) is not large


def test_facts_tell_the_new_rows_after_a_commit():
    facts = DuckFacts(None)
    facts.create({})
    marked = facts.tables()["marked"]
    question = marked.aggregate(rows=marked.count())
    rows = pa.table({"key": pa.array([1], pa.int64()), "traffic": ["bot"]})
    assert facts.ask(question) is facts.ask(question)
    with facts.transaction() as writer:
        writer.insert("marked", rows)
        assert facts.ask(question).column(0)[0].as_py() == 0
    assert facts.ask(question).column(0)[0].as_py() == 1


def test_a_question_that_takes_too_long_is_ended():
    root, watcher = duckdb.connect(), Watcher(seconds=0.2)
    began = time.monotonic()
    with pytest.raises(BadInput, match="ended after"), watcher.over(cursor := root.cursor()):
        cursor.execute(ENDLESS).fetchall()
    assert time.monotonic() - began < 5
    with watcher.over(cursor):
        assert cursor.execute("SELECT 1").fetchall() == [(1,)]


def test_a_question_that_nobody_waits_for_is_ended():
    root, watcher, gone = duckdb.connect(), Watcher(), threading.Event()
    token = leaving.set(gone)
    threading.Timer(0.2, gone.set).start()
    try:
        with pytest.raises(Conflict, match="Nobody waits"), watcher.over(cursor := root.cursor()):
            cursor.execute(ENDLESS).fetchall()
    finally:
        leaving.reset(token)


def test_an_error_of_its_own_stays_its_own():
    root, watcher = duckdb.connect(), Watcher()
    with pytest.raises(duckdb.Error, match="nowhere"), watcher.over(cursor := root.cursor()):
        cursor.execute("SELECT * FROM nowhere")
