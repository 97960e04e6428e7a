"""The command line's frame: names, options, errors and exit codes."""

import json
import subprocess
import sys

import pytest

from onefold.cli import main


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    said = capsys.readouterr()
    return left.value.code or 0, said.out, said.err


def test_help_lists_every_command_under_its_part_of_the_loop(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for word in ("Collect:", "Know:", "Measure:", "Advise:", "init", "import", "advise"):
        assert word in out


@pytest.mark.parametrize(
    "words",
    [
        ("init",),
        ("serve",),
        ("demo",),
        ("status",),
        ("doctor",),
        ("import",),
        ("rebuild",),
        ("checksum",),
        ("plan",),
        ("apply",),
        ("source", "list"),
        ("source", "add"),
        ("source", "set"),
        ("metric",),
        ("experiment", "list"),
        ("experiment", "show"),
        ("person", "show"),
        ("account", "show"),
        ("friction",),
        ("services",),
        ("advise",),
        ("quarantine", "list"),
        ("audit", "show"),
        ("audit", "verify"),
        ("user", "add"),
        ("user", "link"),
    ],
)
def test_every_command_has_help_and_takes_the_shared_options(capsys, words):
    code, out, _ = run(capsys, *words, "--help")
    assert code == 0
    for option in ("--workspace", "--json", "--as"):
        assert option in out


def test_an_unknown_command_says_which_was_near(capsys):
    code, out, err = run(capsys, "chekcsum")
    assert (code, out) == (2, "")
    assert "Did you mean `checksum`?" in err


def test_a_missing_argument_is_bad_usage(capsys):
    code, _, err = run(capsys, "source", "add")
    assert code == 2
    assert "onefold source add --help" in err


def test_an_error_is_a_problem_where_json_was_asked_for(capsys, tmp_path):
    code, out, err = run(capsys, "status", "-w", str(tmp_path / "none"), "--json")
    assert code == 4
    problem = json.loads(out)
    assert problem["status"] == 404
    assert "onefold init" in problem["fix"]
    assert problem["detail"] in err


@pytest.mark.parametrize("before", [True, False])
def test_the_workspace_may_stand_before_or_after_the_command(capsys, tmp_path, before):
    given = ["-w", str(tmp_path / "none")]
    words = [*given, "source", "list"] if before else ["source", "list", *given]
    code, _, err = run(capsys, *words)
    assert code == 4
    assert str(tmp_path / "none") in err


def test_help_is_quick():
    code = (
        "import resource, sys\n"
        "sys.argv = ['onefold', '--help']\n"
        "from onefold.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime, file=sys.stderr)\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    assert min(float(run.stderr) for run in runs) < 0.15
