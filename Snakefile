"""Tessera: from the reads of a national node to allele counts that add up exactly with those of other nodes.

    reads ──> alignments ──> variants ──> quality ──> cohort ──> federation ──> report

This file is the table of contents: what is configured, the chapters in the order of the flow, and a target for
each. `snakemake` makes everything; `snakemake variants` stops after that chapter. config/README.md tells every key.
"""

import sys
from pathlib import Path

import yaml
from snakemake.utils import min_version
from tessera.errors import InputError
from tessera.files.run import check_run
from tessera.schemas.federation import EXPORTS

min_version("9.20")

if not workflow.configfiles:

    configfile: "config/config.yaml"


try:
    RUN = check_run(config, where="config")
except InputError as error:
    print(*(f"tessera: error: {problem}" for problem in error.problems), sep="\n", file=sys.stderr)
    sys.exit(2)

IMAGES = yaml.safe_load(Path(workflow.source_path("workflow/envs/containers.yaml")).read_text())
BIN = Path(sys.executable).parent
WHEEL_TOOLS = Path(workflow.current_basedir, "scripts/wheel_tools")
# the command `tessera` is found last, whatever else is on PATH; samtools must never ask a server for a reference
SEARCH = f"{WHEEL_TOOLS}:{BIN}:$PATH" if RUN.config.tools == "wheels" else f"$PATH:{BIN}"
shell.prefix(f'export PATH="{SEARCH}" REF_PATH=none REF_CACHE=none; ')


pathvars:
    results=str(RUN.config.results),
    private=f"{RUN.config.results}/{{node}}/private",
    logs=f"{RUN.config.results}/logs",


wildcard_constraints:
    node="|".join(RUN.nodes),
    sender="[a-z][a-z0-9-]*",
    sample="[A-Za-z0-9][A-Za-z0-9._-]*",
    lane="[A-Za-z0-9][A-Za-z0-9._-]*",
    batch="[A-Za-z0-9][A-Za-z0-9._+-]*",
    cohort="[A-Za-z0-9][A-Za-z0-9._-]*",
    form="|".join(EXPORTS),


include: "workflow/rules/reads.smk"
include: "workflow/rules/alignments.smk"
include: "workflow/rules/variants.smk"
include: "workflow/rules/quality.smk"
include: "workflow/rules/cohort.smk"
include: "workflow/rules/federation.smk"
include: "workflow/rules/report.smk"


rule all:
    """Everything that is kept; what is missing of it is made again, and what follows from that."""
    default_target: True
    input:
        rules.reads.input,
        rules.alignments.input,
        rules.variants.input,
        rules.quality.input,
        rules.cohort.input,
        rules.federation.input,
        rules.report.input,
