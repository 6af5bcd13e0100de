"""Figures for reports and files for analysts. Reads only."""
