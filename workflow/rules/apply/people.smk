"""What both kinds of bundles are told of a person."""


def told_of(wildcards):
    """Return what the table of people says of one, as far as it is known."""
    row = visit_row(wildcards)
    known = {key: row[key] for key in ("age", "sex", "group") if row[key] != "n/a"}
    return known | ({"age": float(known["age"])} if "age" in known else {})
