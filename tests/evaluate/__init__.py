"""Tests of kdcore.evaluate."""
