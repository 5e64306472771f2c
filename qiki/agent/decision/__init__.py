"""From proposals to commands: the evaluator, the limits of the vehicle, the dispatch and its record."""
