"""The power plane: sources, stores and loads on one bus."""
