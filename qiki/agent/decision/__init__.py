"""From proposals to commands: judging, dispatch, and the record of each decision."""
