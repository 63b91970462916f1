"""Run workflows: start them, execute their tasks, record outcomes, finalize them."""
