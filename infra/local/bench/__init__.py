"""What can be measured on a laptop: what a run takes, whether it survives, what many clients at once see."""
