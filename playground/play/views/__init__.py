"""Pages, and the partials they poll."""
