"""Patches of moto's DynamoDB: actions, and what they refuse."""
