"""Checkpoints for other places: exported, quantised, checked, profiled and packed."""
