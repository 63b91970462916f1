"""What the services need of the world, as protocols; `adapters` implements each twice."""
