"""What `bench/transport.py` proves hot: written for speed, measured there."""
