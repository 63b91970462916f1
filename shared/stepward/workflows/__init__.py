"""Check, compile, plan, prove and run workflows."""
