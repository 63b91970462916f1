"""DynamoDB on the laptop, where moto differs from AWS."""
