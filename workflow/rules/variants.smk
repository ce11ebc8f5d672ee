"""Variants: genotypes and reference blocks of each sample, and what they are worth.

Needs each sample's CRAM, or gVCF and cohort VCF files as they came. Makes a gVCF of every sample with alignments,
called alone so that no other sample changes it, each sample's call rate and het/hom ratio, and, to find relatives, its
genotypes at markers. Ploidy on X, Y and MT
follows from the sheet's karyotype and the build. Rules know the build by what it says: an edited build file makes
again what follows from it, and calls only where ploidy changed.
"""

from tessera.variants.ploidy import ploidy_table

VARIANTS_VERSION = 2
CALL_METRICS_VERSION = 4
# a sample's gVCF: the file that came, or the one called here
GVCF = branch(
    lambda wildcards: RUN.kind(wildcards.node, wildcards.sample) == "gvcf",
    then=lambda wildcards: RUN.file(wildcards.node, wildcards.sample),
    otherwise="<private>/variants/{sample}.g.vcf.gz",
)
# where each person's genotypes at markers are wanted, to find relatives
MARKERS = RUN.config.relatives_markers or []
# what calls are checked and left-aligned on; nothing where the operator says that they are normalised
COUNTED_ON = [] if RUN.config.assume_normalised else REFERENCE
DIGESTS = [] if RUN.config.assume_normalised else f"{REFERENCE}.digests.json"
# what people are measured by, as options of a command
RULES = ["--build", RUN.config.build, "--mask", RUN.config.mask.argument]
RULES += ["--reference", REFERENCE] if COUNTED_ON else []


rule variants:
    """Every sample's calls, measured."""
    input:
        lambda wildcards: [
            f"<results>/{node}/private/variants/{sample}.g.vcf.gz"
            for node in RUN.nodes
            for sample in RUN.called_samples(node)
        ],
        lambda wildcards: [
            f"<results>/{node}/private/qc/variants/{sample}.tsv"
            for node in RUN.nodes
            for sample in RUN.called_samples(node) + RUN.gvcf_samples(node)
        ],
        [
            f"<results>/{node}/private/qc/cohorts/{cohort.id}.tsv"
            for node in RUN.nodes
            for cohort in RUN.cohort_files(node)
        ],


rule write_ploidy:
    """Write the build's ploidy by karyotype for bcftools."""
    output:
        table="<results>/reference/ploidy.txt",
    log:
        "<logs>/write_ploidy.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 500 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        stage_version=VARIANTS_VERSION,
        build=RUN.config.build,
        table=ploidy_table(RUN.build),
    shell:
        "tessera write-ploidy --build {params.build:q} --out {output.table:q} 2> {log:q}"


rule call_gvcf:
    """Call genotypes of one sample at every base: variants, and blocks of reference by depth."""
    input:
        cram=CRAM,
        reference=REFERENCE,
        ploidy="<results>/reference/ploidy.txt",
    output:
        gvcf="<private>/variants/{sample}.g.vcf.gz",
    log:
        "<private>/logs/call_gvcf/{sample}.log",
    conda:
        "../envs/bcftools.yaml"
    container:
        IMAGES["bcftools"]
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        stage_version=VARIANTS_VERSION,
        karyotype=lambda wildcards: RUN.karyotype(wildcards.node, wildcards.sample),
        depths="1,5,10,15,20,30",
    shell:
        "(bcftools mpileup --no-version -Ou -f {input.reference:q} -a AD,DP -g {params.depths} {input.cram:q}"
        " | bcftools call --no-version -Oz -m -g {params.depths} -a GQ --ploidy-file {input.ploidy:q}"
        " -S <(printf '%s\\t%s\\n' {wildcards.sample:q} {params.karyotype:q}) -o {output.gvcf:q}.unfinished"
        " && mv {output.gvcf:q}.unfinished {output.gvcf:q})"
        " 2> {log:q}"


rule measure_variants:
    """Measure call rate and het/hom ratio of a sample, on its gVCF."""
    input:
        calls=GVCF,
        reference=COUNTED_ON,
        markers=MARKERS,
    output:
        metrics="<private>/qc/variants/{sample}.tsv",
        copies="<private>/qc/markers/{sample}.tsv" if MARKERS else [],
    log:
        "<private>/logs/measure_variants/{sample}.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
        in_turn=1,
    params:
        stage_version=CALL_METRICS_VERSION,
        came=lambda wildcards: RUN.came_calls(wildcards.node, wildcards.sample) + RUN.came([MARKERS] if MARKERS else []),
        sheet=lambda wildcards: RUN.sheet(wildcards.node),
        people=lambda wildcards: ["--sample", wildcards.sample],
        rules=RULES,
        build_digest=RUN.build_digest,
        markers=lambda wildcards, output: ["--markers", MARKERS, "--copies", output.copies] if MARKERS else [],
    shell:
        "tessera measure-variants --input {input.calls:q} --samples {params.sheet:q} {params.people:q}"
        " {params.rules:q}"
        " --workers {threads} --max-memory {resources.mem_mb}MB {params.markers:q} --out {output.metrics:q} 2> {log:q}"


use rule measure_variants as measure_cohort with:
    input:
        calls=lambda wildcards: RUN.cohort_file(wildcards.node, wildcards.cohort).path,
        reference=COUNTED_ON,
        markers=MARKERS,
    output:
        metrics="<private>/qc/cohorts/{cohort}.tsv",
        copies="<private>/qc/markers/cohorts/{cohort}.tsv" if MARKERS else [],
    log:
        "<private>/logs/measure_cohort/{cohort}.log",
    threads: lambda wildcards: RUN.cohort_file(wildcards.node, wildcards.cohort).workers
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        stage_version=CALL_METRICS_VERSION,
        came=lambda wildcards: RUN.came(
            [RUN.cohort_file(wildcards.node, wildcards.cohort).path, *([MARKERS] if MARKERS else [])]
        ),
        sheet=lambda wildcards: RUN.sheet(wildcards.node),
        people=[],
        facts=lambda wildcards: RUN.cohort_facts(wildcards.node, wildcards.cohort),
        rules=RULES,
        build_digest=RUN.build_digest,
        markers=lambda wildcards, output: ["--markers", MARKERS, "--copies", output.copies] if MARKERS else [],
