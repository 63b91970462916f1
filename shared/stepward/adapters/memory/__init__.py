"""The ports in memory: for embedding, for property tests, and held to the same contract tests as AWS."""
