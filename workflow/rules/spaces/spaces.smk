"""What the spaces share: words for their arrays, and the list from which pack.smk makes rules."""

# A space to what is packed: `space` in words, `arrays` (name to words), `input`; where they differ
# from the usual, `columns` of the visits table after the common ones, `whole_atlas` and more.
PACKED = {}
MRI_TEXT = "skull-stripped T1-weighted MRI, scaled to 0..1 inside the brain"
PET_TEXT = (
    "FDG-PET over its mean in the reference region and a fixed ceiling, 0..1; "
    "zeros where a visit has no PET"
)
SEEN_TEXT = "false where a visit's PET has not measured all of a voxel of the brain: pet is no measurement there"
TISSUE_TEXT = dict.fromkeys(("gm", "wm", "csf"), "probability of the tissue, 0..1")
TEMPLATE_GRIDS = {
    "mask": TEMPLATE_BRAIN,
    "atlas": "resources/atlases/aal.nii.gz",
    "regions": "resources/atlases/aal.tsv",
}
