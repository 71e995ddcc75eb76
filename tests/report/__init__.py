"""Tests of kdcore.report."""
