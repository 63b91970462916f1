"""The laptop is a deployment target: the same template that CDK synthesises, run without an AWS account."""
