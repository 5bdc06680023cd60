"""Usage: the gateway counts each call in memory, a thread writes the counts, pages and programs read them.

``counter`` is what the gateway holds, ``records`` what it is told of a call, ``tallies`` and ``histograms`` how calls
are added up, ``models`` the rows, ``storage`` how counts are merged into them, ``queries`` and ``figures`` what is
asked of them, ``replicas`` how many were ready when, ``housekeeping`` how all these end.
"""
