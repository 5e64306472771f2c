"""The bridge: radar frames in; tracks and guard alerts out."""
