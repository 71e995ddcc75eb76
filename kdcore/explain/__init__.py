"""Explanations of one image: Score-CAM, Grad-CAM, attention, causal masks, and their figures."""
