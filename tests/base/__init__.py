"""Tests of kdcore.base."""
