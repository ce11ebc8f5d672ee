"""Alignments: one CRAM per sample, and what it is worth.

Needs the lanes of the chapter before, or BAM and CRAM files as they came. Makes a CRAM (version 3.0, coordinate
order, indexed) of every sample on the run's own reference, and its metrics under the names of the GA4GH standard.
Files that came aligned keep their duplicate marks; their read groups must name the sample of the sheet, and their
header the contigs of the run's reference that are counted. One thread writes a CRAM: with several its bytes differ
from run to run. What a native tool writes is `.unfinished` until it is whole.
"""

from tessera.files.marker_panel import panel_files

ALIGNMENTS_VERSION = 1
METRICS_VERSION = 2
# markers that tell contamination, where there are any
PANEL = list(panel_files(RUN.config.contamination_panel).values()) if RUN.config.contamination_panel else []
# headers tell programs and versions, and not where files lay (UR, CL) and how many threads there were (CL)
WITHOUT_PATHS = r"sed -E '/^@SQ/s/\tUR:[^\t]*//; /^@PG/s/\tCL:[^\t]*//'"
# a sample's CRAM lies where its kind of input puts it
CRAM = branch(
    lambda wildcards: RUN.kind(wildcards.node, wildcards.sample) == "fastq",
    then="<private>/alignments/{sample}.cram",
    otherwise="<private>/alignments/imported/{sample}.cram",
)

CRAM_INDEX = branch(
    lambda wildcards: RUN.kind(wildcards.node, wildcards.sample) == "fastq",
    then="<private>/alignments/{sample}.cram.crai",
    otherwise="<private>/alignments/imported/{sample}.cram.crai",
)


rule alignments:
    """Every sample's CRAM and metrics."""
    input:
        lambda wildcards: [
            f"<results>/{node}/private/{kept}"
            for node in RUN.nodes
            for sample in RUN.called_samples(node)
            for folder in ["" if RUN.kind(node, sample) == "fastq" else "imported/"]
            for kept in (
                f"alignments/{folder}{sample}.cram",
                f"alignments/{folder}{sample}.cram.crai",
                f"qc/alignments/{sample}.json",
            )
        ],


rule mark_duplicates:
    """Join a sample's lanes and mark duplicates."""
    input:
        lanes=lambda wildcards: expand(
            "<private>/alignments/{sample}/{lane}.bam",
            lane=RUN.lanes(wildcards.node, wildcards.sample),
            allow_missing=True,
        ),
        reference=REFERENCE,
    output:
        cram="<private>/alignments/{sample}.cram",
        index="<private>/alignments/{sample}.cram.crai",
    log:
        "<private>/logs/mark_duplicates/{sample}.log",
    conda:
        "../envs/samtools.yaml"
    container:
        IMAGES["samtools"]
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        stage_version=ALIGNMENTS_VERSION,
        without_paths=WITHOUT_PATHS,
    shell:
        "(samtools merge --no-PG -s 1 -u - {input.lanes:q}"
        " | samtools reheader --no-PG -c {params.without_paths:q} -"
        " | samtools markdup --no-PG -T {resources.tmpdir:q}/markdup"
        " --reference {input.reference:q} --output-fmt cram,version=3.0 --write-index - {output.cram:q}.unfinished"
        " && samtools reheader --no-PG -i -c {params.without_paths:q} {output.cram:q}.unfinished"
        " && touch {output.cram:q}.unfinished.crai"
        " && mv {output.cram:q}.unfinished.crai {output.index:q} && mv {output.cram:q}.unfinished {output.cram:q})"
        " 2> {log:q}"


rule check_alignments:
    """Refuse a BAM or CRAM that came aligned to another reference, or with another sample's reads."""
    input:
        alignments=lambda wildcards: RUN.file(wildcards.node, wildcards.sample),
        reference=REFERENCE,
    output:
        verdict="<private>/qc/alignments/{sample}.header.txt",
    log:
        "<private>/logs/check_alignments/{sample}.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 500 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
        in_turn=1,
    params:
        stage_version=ALIGNMENTS_VERSION,
        came=lambda wildcards: RUN.came([RUN.file(wildcards.node, wildcards.sample)]),
        build=RUN.config.build,
        build_digest=RUN.build_digest,
    shell:
        "(tessera check --alignments {input.alignments:q} --sample {wildcards.sample:q}"
        " --reference {input.reference:q} --build {params.build:q} > {output.verdict:q}.unfinished"
        " && mv {output.verdict:q}.unfinished {output.verdict:q}) 2> {log:q}"


rule import_alignments:
    """Write a BAM or CRAM that came aligned as a sorted CRAM on the run's own reference."""
    input:
        alignments=lambda wildcards: RUN.file(wildcards.node, wildcards.sample),
        reference=REFERENCE,
        # a build that is edited asks the header again, and not for another CRAM
        verdict=ancient("<private>/qc/alignments/{sample}.header.txt"),
    output:
        cram="<private>/alignments/imported/{sample}.cram",
        index="<private>/alignments/imported/{sample}.cram.crai",
    log:
        "<private>/logs/import_alignments/{sample}.log",
    conda:
        "../envs/samtools.yaml"
    container:
        IMAGES["samtools"]
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        stage_version=ALIGNMENTS_VERSION,
        came=lambda wildcards: RUN.came([RUN.file(wildcards.node, wildcards.sample)]),
        without_paths=WITHOUT_PATHS,
    shell:
        "(samtools quickcheck -v {input.alignments:q}"
        " && samtools sort --no-PG -u -@ {threads} -T {resources.tmpdir:q} --reference {input.reference:q}"
        " {input.alignments:q}"
        " | samtools reheader --no-PG -c {params.without_paths:q} -"
        " | samtools view --no-PG --reference {input.reference:q} --output-fmt cram,version=3.0 --write-index"
        " -o {output.cram:q}.unfinished -"
        " && samtools reheader --no-PG -i -c {params.without_paths:q} {output.cram:q}.unfinished"
        " && touch {output.cram:q}.unfinished.crai"
        " && mv {output.cram:q}.unfinished.crai {output.index:q} && mv {output.cram:q}.unfinished {output.cram:q})"
        " 2> {log:q}"


rule measure_alignments:
    """Measure reads, depth and the karyotype that depth tells, as the GA4GH standard defines them."""
    input:
        cram=CRAM,
        index=CRAM_INDEX,
        reference=REFERENCE,
        panel=PANEL,
    output:
        stats="<private>/qc/alignments/{sample}.stats.txt",
        metrics="<private>/qc/alignments/{sample}.json",
    log:
        "<private>/logs/measure_alignments/{sample}.log",
    conda:
        "../envs/samtools.yaml"
    container:
        IMAGES["samtools"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        stage_version=METRICS_VERSION,
        came=RUN.came(PANEL),
        build=RUN.config.build,
        build_digest=RUN.build_digest,
        panel=lambda wildcards, input: (
            ["--panel", RUN.config.contamination_panel, "--alignments", input.cram] if PANEL else []
        ),
    shell:
        "(samtools stats -F QCFAIL --reference {input.reference:q} {input.cram:q} > {output.stats:q}.unfinished"
        " && samtools depth -aa -s -q 20 -Q 20 --reference {input.reference:q} {input.cram:q}"
        " | tessera measure-alignments --sample {wildcards.sample:q} --stats {output.stats:q}.unfinished --depth -"
        " --reference {input.reference:q} --build {params.build:q} {params.panel:q} --out {output.metrics:q}"
        " && mv {output.stats:q}.unfinished {output.stats:q})"
        " 2> {log:q}"
