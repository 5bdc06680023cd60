"""A self-hosted model playground. This package holds the version and imports nothing."""

__version__ = "0.1.0"
