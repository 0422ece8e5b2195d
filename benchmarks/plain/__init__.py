"""The papers' models as a reader would write them: plain torch, fp32, eager, NCDHW."""
