"""Usage: the gateway counts each call in memory, a thread writes the counts, pages and programs read them.

``counter`` is what the gateway holds, ``records`` what it counts, ``histograms`` how times are kept, ``models`` the
rows, ``storage`` how counts are merged into them, ``queries`` what is asked of them, ``housekeeping`` how they end.
"""
