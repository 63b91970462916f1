"""The ports on AWS: DynamoDB, S3 and Step Functions; the only home of boto3 in this package."""
