"""The metadata that our own programs send each other beside the V2 messages. Others never see them, nor need them."""

from __future__ import annotations

SECRET = "x-playground-secret"
"""Towards a runner: only its own gateway knows it."""

OWNER = "x-playground-owner"
"""Towards a runner: ``1`` where the caller owns the model, and so may see its tracebacks."""

REQUEST_ID = "x-clarifai-request-id"
"""The request id of a call, that every log carries."""

JOINED = "x-playground-joined"
"""On generate and stream: ``1`` where the caller takes several pieces in one reply.

The V2 wire has one output in each reply of a stream, and a gRPC message costs each process that touches it more than
making the piece did. Whoever sends this may get what was ready together as one reply with several outputs; whoever does
not, such as an official client, never does. Joined messages merge (that is how protobuf reads them), so a relay needs
to know nothing of it.
"""
