"""Reads: FASTQ of each lane, trimmed and aligned.

Needs the reference and the two FASTQ files of each lane. Makes one sorted BAM per lane, kept only until the
sample's CRAM is made, and the trimming report of the lane. First the reference is copied and indexed, then (bwa and
bwa-mem2 only) the aligner's index is built, then lanes run side by side, each as a single stream.
"""

READS_VERSION = 1
REFERENCE = f"{RUN.config.results}/reference/reference.fa"

# each reads pairs from standard input and is told threads, read group and index in the same words
ALIGN = {"minimap2": "minimap2 -ax sr", "bwa": "bwa mem -p", "bwa-mem2": "bwa-mem2 mem -p"}[RUN.config.aligner]
INDEX = REFERENCE if RUN.config.aligner == "minimap2" else f"{RUN.config.results}/reference/{RUN.config.aligner}"
INDEX_FILES = {
    "minimap2": [REFERENCE],
    "bwa": multiext(INDEX, ".amb", ".ann", ".bwt", ".pac", ".sa"),
    "bwa-mem2": multiext(INDEX, ".0123", ".amb", ".ann", ".bwt.2bit.64", ".pac"),
}[RUN.config.aligner]


rule reads:
    """Every lane, trimmed and aligned."""
    input:
        lambda wildcards: [
            f"<results>/{node}/private/qc/trimming/{sample}/{lane}.json"
            for node in RUN.nodes
            for sample in RUN.fastq_samples(node)
            for lane in RUN.lanes(node, sample)
        ],


rule index_reference:
    """Copy the reference, unpacked, and index the copy: nothing is written beside the operator's file."""
    input:
        fasta=RUN.config.reference or [],
    output:
        fasta=REFERENCE,
        index=f"{REFERENCE}.fai",
    log:
        "<logs>/index_reference.log",
    conda:
        "../envs/samtools.yaml"
    container:
        IMAGES["samtools"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 500 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        stage_version=READS_VERSION,
        came=RUN.came([RUN.config.reference] if RUN.config.reference else []),
    shell:
        "(gzip -cdf {input.fasta:q} > {output.fasta:q}.unfinished"
        " && samtools faidx {output.fasta:q}.unfinished --fai-idx {output.index:q}.unfinished"
        " && mv {output.index:q}.unfinished {output.index:q} && mv {output.fasta:q}.unfinished {output.fasta:q})"
        " 2> {log:q}"


rule digest_reference:
    """Hash the reference once, for everybody who is counted on it."""
    input:
        fasta=REFERENCE,
    output:
        digests=f"{REFERENCE}.digests.json",
    log:
        "<logs>/digest_reference.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 500 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        stage_version=READS_VERSION,
    shell:
        "tessera digest-reference {input.fasta:q} 2> {log:q}"


if RUN.config.aligner != "minimap2":

    rule index_aligner:
        """Build the index of bwa or bwa-mem2."""
        input:
            fasta=REFERENCE,
        output:
            index=INDEX_FILES,
        log:
            "<logs>/index_aligner.log",
        conda:
            "../envs/align.yaml"
        container:
            IMAGES["align"]
        threads: 1
        resources:
            mem_mb=lambda wildcards, attempt: 2000 * attempt,
            runtime=lambda wildcards, attempt: 120 * attempt,
        params:
            stage_version=READS_VERSION,
            aligner=RUN.config.aligner,
            index=INDEX,
        shell:
            "({params.aligner} index -p {params.index:q}.unfinished {input.fasta:q}"
            " && for made in {params.index:q}.unfinished.*;"
            ' do mv "$made" {params.index:q}."${{made##*.unfinished.}}"; done)'
            " 2> {log:q}"


rule align_lane:
    """Trim adapters and poor ends of a lane's pairs, align them and sort the alignments, in one stream."""
    input:
        fastq=lambda wildcards: RUN.fastq(wildcards.node, wildcards.sample, wildcards.lane),
        index=INDEX_FILES,
    output:
        bam=temp("<private>/alignments/{sample}/{lane}.bam"),
        trimming="<private>/qc/trimming/{sample}/{lane}.json",
    log:
        "<private>/logs/align_lane/{sample}/{lane}.log",
    conda:
        "../envs/align.yaml"
    container:
        IMAGES["align"]
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        stage_version=READS_VERSION,
        came=lambda wildcards: RUN.came(RUN.fastq(wildcards.node, wildcards.sample, wildcards.lane)),
        read_group=lambda wildcards: RUN.read_group_line(wildcards.node, wildcards.sample, wildcards.lane),
        align=ALIGN,
        index=lambda wildcards: INDEX,
    shell:
        "(cutadapt --interleaved --quality-cutoff 20 --minimum-length 30"
        " -a AGATCGGAAGAGCACACGTCTGAACTCCAGTCA -A AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT"
        " --json {output.trimming:q}.unfinished {input.fastq:q}"
        " | {params.align} -t {threads} -R {params.read_group:q} {params.index:q} -"
        " | samtools fixmate --no-PG -u -m - -"
        " | samtools sort --no-PG -l 1 -T {resources.tmpdir:q} -O bam -o {output.bam:q}.unfinished -"
        " && mv {output.trimming:q}.unfinished {output.trimming:q} && mv {output.bam:q}.unfinished {output.bam:q})"
        " 2> {log:q}"
