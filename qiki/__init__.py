"""The library of QIKI DTMP: a room for each noun of the field, and the runtime that carries a service."""
