"""Rows of ADNI's two tables."""

import csv

MRI = {"Modality": "MRI", "Description": "MP-RAGE", "Type": "Original"}
PET = {"Modality": "PET", "Description": "Coreg, Avg, Standardized FDG", "Type": "Processed"}


def image(image_id, subject="011_S_0005", **changes):
    row = {
        "Image Data ID": image_id,
        "Subject": subject,
        "Group": "CN",
        "Sex": "F",
        "Age": "70",
        "Visit": "bl",
        **MRI,
        "Acq Date": "3/30/2006",
        "Format": "DCM",
        "Downloaded": "1/01/2024",
    }
    return row | changes


def exam(subject="011_S_0005", **changes):
    row = {
        "RID": "5",
        "PTID": subject,
        "VISCODE": "bl",
        "EXAMDATE": "2006-03-25",
        "DX_bl": "CN",
        "DX": "CN",
        "AGE": "69.5",
        "PTGENDER": "Female",
    }
    return row | changes


def write(path, rows, quoting=csv.QUOTE_ALL, encoding="utf-8", newline="\n"):
    with open(path, "w", encoding=encoding, newline="") as handle:
        table = csv.DictWriter(handle, rows[0].keys(), quoting=quoting, lineterminator=newline)
        table.writeheader()
        table.writerows(rows)
    return path
