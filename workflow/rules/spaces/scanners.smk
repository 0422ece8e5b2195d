# Sites and scanners of the visits: by what folds can hold people out together.

from mri2pet.cohorts.sites import read_sites
from mri2pet.datasets.together import PERSON, SITE


def participants_table(study):
    """Return the table of people of a raw BIDS dataset, which may tell their site; else nothing."""
    table = Path(study.raw) / "participants.tsv"
    if READER[study.name] != "bids" or not (study.simulated or table.is_file()):
        return []
    return str(table)


def sites_of(space, rows):
    """Return the site of each subject of some rows of a space's cohort, as far as it is known."""
    table = participants_table(STUDIES[space_study(space)])
    there = table if table and Path(table).is_file() else None
    return read_sites(dict.fromkeys(row["subject"] for row in rows), there)


def held_out_by(folds):
    """Return the parameter that tells by what folds are dealt, nothing where it is by person."""
    by = folds.get("by", PERSON)
    return {} if by == PERSON else {"by": by}


def told_scanners(folds, folder):
    """Return the input that tells the sites and scanners of a dataset, where folds need them."""
    return {"scanners": f"{folder}/scanners.tsv"} if held_out_by(folds) else {}


def held_out_together(space, folds):
    """Return `by` and `units` of a space's folds, as far as they are known before scans are read.

    Units are None where only the headers of scans will tell them.
    """
    by = folds.get("by", PERSON)
    if by == PERSON:
        return {}
    if by == SITE:
        return {"by": by, "units": sites_of(space, cohort(space_study(space)).values())}
    return {
        "by": by,
        "units": SIMULATED_SCANNERS if STUDIES[space_study(space)].simulated else None,
    }


def scanner_rows(space, learnt):
    """Return the rows of a cohort of whom a table of scanners is made."""
    return learnt_rows(space) if learnt else list(cohort(space_study(space)).values())


def sidecars_of_rows(space, learnt, pattern, kind=None):
    """Return an input function: sidecars of the converted scans of some rows (of one kind)."""
    return lambda _: [
        pattern.format(**row) for row in scanner_rows(space, learnt) if kind in (None, row["kind"])
    ]


def sites_of_rows(space, learnt):
    """Return a params function: the sites of the people of some rows.

    As a parameter, a further person's site concerns no job that the person does not.
    """
    return lambda wildcards: sites_of(space, scanner_rows(space, learnt))


for space in [space for space in ("linear",) if space in USED_SPACES]:

    rule:
        name:
            f"{space}_scanners"
        input:
            cohort=COHORT.format(study=space_study(space)),
            mri=sidecars_of_rows(space, False, f"{BIDS_T1W}.json"),
            pet=sidecars_of_rows(space, False, f"{BIDS_PET}.json", kind="paired"),
        output:
            f"results/datasets/{space}/scanners.tsv",
        log:
            f"logs/scanners/{space}.log",
        localrule: True
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(1000),
            runtime=more(10),
        params:
            sites=sites_of_rows(space, False),
            code=code("scanners.py"),
        script:
            "../../scripts/scanners.py"

    rule:
        name:
            f"{space}_learnt_scanners"
        input:
            cohort=f"results/datasets/{space}/learnt/cohort.tsv",
            mri=sidecars_of_rows(space, True, f"{BIDS_T1W}.json"),
            pet=sidecars_of_rows(space, True, f"{BIDS_PET}.json", kind="paired"),
        output:
            f"results/datasets/{space}/learnt/scanners.tsv",
        log:
            f"logs/scanners/{space}_learnt.log",
        localrule: True
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(1000),
            runtime=more(10),
        params:
            sites=sites_of_rows(space, True),
            code=code("scanners.py"),
        script:
            "../../scripts/scanners.py"
