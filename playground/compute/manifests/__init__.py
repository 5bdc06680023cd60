"""Clusters, nodepools and deployments as YAML files, in the shapes of the official command line and a few keys more."""
