"""A server of exported nets over HTTP: FastAPI and uvicorn around ``roastery.load``."""
