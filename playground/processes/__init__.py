"""The processes around the server: the command's light form, and the guard that leaves nobody behind. Stdlib alone."""
