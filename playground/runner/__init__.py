"""Loads one model folder and serves it on the V2 wire. Knows no Django; a model author needs nothing above it."""
