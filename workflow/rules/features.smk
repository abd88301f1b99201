# REQUIRES     participants/<cohort>.tsv, the participants table itself of a cohort with images, and the sources that
#              the configuration names
# PRODUCES     index/<cohort>.tsv, which images were found and where not, for the user; features/parts/<cohort>/
#              <modality>.table.h5 of tables and <modality>_<shard>.h5 of images, with quality/parts/<cohort>/
#              <modality>_<shard>.tsv; features/persons/: results of single people, kept; and, merged,
#              features/<cohort>.h5
# CONFIG KEYS  cohorts.<cohort>.sources, cohorts.<cohort>.bids, cohorts.<cohort>.participants, cohorts.<cohort>.exclude,
#              cohorts.<cohort>.columns.participant_id, extraction, shards


rule extract_table:
    """Extract one modality of one cohort from a table."""
    input:
        sheet=rules.participants.output.sheet,
        units=rules.participants.output.units,
    output:
        f"{OUT}/features/parts/{{cohort}}/{{modality}}.table.h5",
    log:
        f"{OUT}/logs/extract/{{cohort}}_{{modality}}.table.log",
    benchmark:
        f"{OUT}/benchmarks/extract/{{cohort}}_{{modality}}.table.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        **given(slices.ExtractSettings.of, "cohort", "modality"),
        code=code_digest("brainpid.commands.extract"),
        content=lambda wildcards: source_content(wildcards.cohort, wildcards.modality),
    shell:
        "brainpid extract --cohort {wildcards.cohort} --modality {wildcards.modality} --participants {input.sheet:q}"
        " --settings {params.settings:q} --out {output:q} 2> {log:q}"


rule index:
    """List the image files of a cohort's people, and whose labels and folders do not fit."""
    input:
        sheet=rules.participants.output.sheet,
    output:
        f"{OUT}/index/{{cohort}}.tsv",
    log:
        f"{OUT}/logs/index/{{cohort}}.log",
    benchmark:
        f"{OUT}/benchmarks/index/{{cohort}}.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        **given(slices.IndexSettings.of, "cohort"),
        code=code_digest("brainpid.commands.index"),
        files=lambda wildcards: cohort_digests(wildcards.cohort),
    shell:
        "brainpid index --cohort {wildcards.cohort} --participants {input.sheet:q} --settings {params.settings:q}"
        " --out {output:q} 2> {log:q}"


rule extract_images:
    """Extract one modality of one shard of a cohort's people from images."""

    # No input that a job makes for the whole cohort: one person who changes would start every shard. Who belongs to this
    # one, and what files they have, is in `files`.
    output:
        features=f"{OUT}/features/parts/{{cohort}}/{{modality}}_{{shard}}.h5",
        quality=f"{OUT}/quality/parts/{{cohort}}/{{modality}}_{{shard}}.tsv",
    log:
        f"{OUT}/logs/extract/{{cohort}}_{{modality}}_{{shard}}.log",
    benchmark:
        f"{OUT}/benchmarks/extract/{{cohort}}_{{modality}}_{{shard}}.tsv"
    conda:
        "../../envs/brainpid.yaml"
    threads: 1
    resources:
        mem_mb=image_mb,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        **given(slices.ExtractSettings.of, "cohort", "modality"),
        code=lambda wildcards: "+".join(
            [
                code_digest("brainpid.commands.extract", extractor(wildcards).module),
                *extractor(wildcards).digests,
            ]
        ),
        files=lambda wildcards: shard_digest(wildcards),
        atlas=lambda wildcards: atlas_content(wildcards.cohort, wildcards.modality),
        versions=lambda wildcards: versions(extractor(wildcards).packages),
        people=unrecorded(
            lambda wildcards: CONFIG.cohorts[wildcards.cohort].participants_path
        ),
        keep=unrecorded(
            lambda wildcards: kept_folder(OUT, wildcards.cohort, wildcards.modality)
        ),
    shell:
        "OMP_NUM_THREADS=1 ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1 brainpid extract --cohort {wildcards.cohort}"
        " --modality {wildcards.modality} --participants {params.people:q} --shard {wildcards.shard}"
        " --workers {threads} --settings {params.settings:q} --keep {params.keep:q}"
        " --quality {output.quality:q} --out {output.features:q} 2> {log:q}"


rule collect:
    """Merge a cohort's modalities."""
    input:
        sheet=rules.participants.output.sheet,
        parts=lambda wildcards: parts_of(wildcards.cohort),
    output:
        f"{OUT}/features/{{cohort}}.h5",
    log:
        f"{OUT}/logs/collect/{{cohort}}.log",
    benchmark:
        f"{OUT}/benchmarks/collect/{{cohort}}.tsv"
    conda:
        "../../envs/brainpid.yaml"
    params:
        code=code_digest("brainpid.commands.collect"),
        excluded=lambda wildcards: exclusions_content(wildcards.cohort),
        exclude=unrecorded(
            lambda wildcards: CONFIG.cohorts[wildcards.cohort].exclude or ""
        ),
    shell:
        "brainpid collect --cohort {wildcards.cohort} --participants {input.sheet:q} --parts {input.parts:q}"
        " --exclude {params.exclude:q} --out {output:q} 2> {log:q}"
