"""Golden runs: recordings of short runs that are kept, and the processes that are held against them."""
