"""What the product costs, as a ratio to the bare limit measured in the same run: ``python -m tests.benchmarks``.

Machines are noisy, so nothing here is asserted by a timed unit test; the table that the command prints is the result.
"""
