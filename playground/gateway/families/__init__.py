"""Management RPCs, one file a family: pure reads of what the caller may see, each a function of user and request."""
