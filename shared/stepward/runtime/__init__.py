"""What only Lambda needs: the container of services, configuration, handlers, HTTP, logs, operators' commands."""
