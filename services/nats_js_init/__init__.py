"""One shot: makes or updates the streams and consumers of the contract, reports it, and ends."""
