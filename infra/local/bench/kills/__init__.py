"""Kill real Lambda processes around every write of runs of every shape, and see whether the runs come to their end."""
