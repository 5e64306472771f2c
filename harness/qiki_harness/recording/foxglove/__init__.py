"""Channels that are derived from the topics: Foxglove's protobuf messages, which viewers show as pictures."""
