"""Help is quick because nothing heavy is loaded for it, and every command and option says what it does."""

import subprocess
import sys

import click
import pytest

from commands import Tessera
from tessera.cli import COMMANDS
from tessera.cli import tessera as group

HEAVY = ("polars", "numpy", "pysam", "cyvcf2", "dask", "snakemake", "pyarrow", "yaml", "jsonschema", "cryptography")
COHORT_VERBS = ("init", "add", "withdraw", "release", "status", "verify")
BUNDLE_VERBS = ("pack", "open", "verify")
CATALOGUE_VERBS = ("write", "write-crate")
SUBCOMMANDS = [
    *((name,) for name in COMMANDS),
    *(("export", form) for form in ("vcf", "gdi-parquet", "beacon", "va-spec", "gnomad", "sites")),
    *(("cohort", verb) for verb in COHORT_VERBS),
    *(("keys", verb) for verb in ("new", "show")),
    *(("bundle", verb) for verb in BUNDLE_VERBS),
    *(("catalogue", verb) for verb in CATALOGUE_VERBS),
]


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], *([*name, "--help"] for name in SUBCOMMANDS)], ids=" ".join
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    program = f"""
import sys
import tessera.cli
sys.argv = ["tessera", *{words!r}]
try:
    tessera.cli.main()
except SystemExit as end:
    assert not end.code
print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "[]\n")
    assert done.stdout


def test_the_list_of_commands_names_each_with_its_line(tessera: Tessera) -> None:
    done = tessera("--help")
    words = " ".join(done.text.split())
    assert done.code == 0
    assert all(f"{name} {line}" in words for name, line in COMMANDS.items())


@pytest.mark.parametrize("name", SUBCOMMANDS, ids=" ".join)
def test_every_command_and_each_of_its_options_has_a_help_text(name: tuple[str, ...]) -> None:
    command: click.Command = group
    for word in name:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    assert command.name == name[-1]
    assert command.help
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    # a choice explains itself by its values
    silent = [o.opts[0] for o in options if not o.help and not isinstance(o.type, click.Choice)]
    assert silent == []


def test_a_command_that_there_is_not_is_refused(tessera: Tessera) -> None:
    done = tessera("conut")
    assert done.code == 2
    assert "No such command 'conut'" in done.err
