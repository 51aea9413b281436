"""What a team and a stack may say, checked and completed. Knows neither Pulumi nor Kubernetes."""
