"""Patches of moto's Lambda: functions, and what invokes them."""
