"""What every request and socket passes on its way in, whichever ASGI server stands in front."""
