"""What the use cases need of the world, as protocols; `adapters` has one implementation a world."""
