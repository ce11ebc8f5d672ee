"""The command line: a command is a file of this folder, loaded only when it is asked for."""

import errno
import os
import re
import sys
from importlib import import_module
from typing import Any

import click

from tessera import __version__
from tessera.errors import InputError, Problem

#: exit codes as shells know them: 128 and the number of the signal
INTERRUPTED, BROKEN_PIPE = 130, 141
#: no room, for everybody or for this user
FULL = (errno.ENOSPC, errno.EDQUOT)

#: command -> one line for `tessera --help`; `write-ploidy` lives in write_ploidy.py
COMMANDS = {
    "check": "Check a configuration and its sample sheets before anything runs.",
    "plan": "Tell what a run will ask of a cluster, against what the site allows.",
    "digest-reference": "Hash a reference once, for the commands that count on it.",
    "write-ploidy": "Write the ploidy table that bcftools call reads, by sex karyotype.",
    "measure-alignments": "Turn samtools stats and depth of one sample into its metrics.",
    "measure-variants": "Measure what the calls of each sample of a gVCF or VCF are worth.",
    "write-metrics": "Write each sample's metrics as the GA4GH WGS QC standard shapes them.",
    "find-relatives": "Find people of a node who are related, or there twice.",
    "gate-samples": "Decide who is counted, by consent and QC policy, and say why not.",
    "try-thresholds": "Show how many people other thresholds of the QC policy would move.",
    "count": "Count a cohort file or one gVCF into a summary.",
    "merge": "Add summaries.",
    "subtract": "Take one summary out of another.",
    "compare-nodes": "List the variants in which nodes differ more than chance lets them.",
    "cohort": "Keep a cohort that grows and shrinks person by person.",
    "verify": "Check that a summary is whole, canonical and free of personal records.",
    "show": "Print the counts of a summary.",
    "export": "Write a summary in the formats of others.",
    "keys": "Make and look at the keys that sign and encrypt bundles.",
    "bundle": "Send a summary to partners: packed, signed, encrypted; and open what they sent.",
    "catalogue": "Describe a data set so that others can find it, and the run that made it.",
    "check-truth": "Compare a summary with a table of expected counts, number by number.",
    "cost": "Tell what a run cost by rule, out of SLURM's accounting, and what asks for too much.",
    "write-report": "Write the run's short report: who was counted, who was not and why.",
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"tessera.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; one that is interrupted, or whose reader has gone (`| head`), ends without a traceback."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("tessera: interrupted", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # Python flushes standard output once more at its end, and would complain then
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(BROKEN_PIPE) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tessera")
def tessera() -> None:
    """Genomes of a national node in, allele counts that add up exactly with those of other nodes out."""


def main() -> None:
    """Run the command line; an InputError or OSError becomes sentences on stderr and exit code 2."""
    try:
        tessera()
    except InputError as error:
        problems = error.problems
    except UnicodeDecodeError as error:
        # names in a VCF are decoded by the library that reads it, which knows of no file
        found = f"text that is not UTF-8, {bytes(error.object[:60])!r}"
        problems = [Problem("input", found, "names in UTF-8")]
    except OSError as error:
        problems = [_refused_by_system(error)]
    for problem in problems:
        click.echo(f"tessera: error: {problem}", err=True)
    sys.exit(2)


def _refused_by_system(error: OSError) -> Problem:
    """What the operating system refused, in its words, and of which path; a full disk is nobody's bad input."""
    text = " ".join(str(word) for word in error.args)
    # libraries in Rust leave the number to the text
    told = re.search(r"\(os error (\d+)\)", text)
    number = error.errno or (int(told[1]) if told else 0)
    said = os.strerror(number) if number else text
    if number in FULL:
        remedy = "The input is not at fault: make room, then run the command again."
        return Problem(str(error.filename or "output"), said, "room for what is written", remedy)
    return Problem(str(error.filename or "input or output"), said, "a path that can be read or written")
