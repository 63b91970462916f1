"""What a workflow will do before it does it: its order, its time, its states and its money, and how these look."""
