"""Convolution and normalisation of few channels, compiled for the processor (see `operations`)."""
