"""What a model needs before it can run: its environment, its checkpoint, made once and kept."""
