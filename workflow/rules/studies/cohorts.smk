# Who is in each study: a checkpoint a study, since only its tables say which visits there are.
for study in STUDIES.values():

    checkpoint:
        name:
            f"{study.name}_cohort"
        input:
            tables=READ_INPUTS[study.name]["tables"],
        output:
            table=COHORT.format(study=study.name),
            exclusions=EXCLUSIONS.format(study=study.name),
        log:
            f"logs/cohort/{study.name}.log",
        localrule: True
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(1000),
            runtime=more(30),
        params:
            reader=READER[study.name],
            raw=study.raw,
            study=settings_of(study),
            listing=READ_INPUTS[study.name]["listing"],
            roles=not BUNDLE
            and any(KNOWN_SYSTEMS[system].roles for system in systems_of(study.name)),
            code=code("cohort.py", *reader_symbols(READER[study.name])),
        script:
            "../../scripts/cohort.py"
