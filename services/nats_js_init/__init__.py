"""One shot: makes or updates the streams and consumers of the contract, says what it did, and ends."""
