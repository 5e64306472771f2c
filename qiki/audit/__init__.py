"""The audit log: records in a hash chain, on files, read and verified."""
