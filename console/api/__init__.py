"""The HTTP API `/api/v1`."""

from console.api.app import create_api

__all__ = ["create_api"]
