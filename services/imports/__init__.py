"""Importing what another program exported: detect, read, plan, write, undo."""
