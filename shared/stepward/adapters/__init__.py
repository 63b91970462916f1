"""One package a world, each with an implementation of every port."""
