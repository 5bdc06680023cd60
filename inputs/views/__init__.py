"""Pages of inputs, and the partials and files that they load."""
