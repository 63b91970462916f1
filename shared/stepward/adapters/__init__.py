"""Implementations of the ports: `aws` on AWS, `memory` in dictionaries, and what they share."""
