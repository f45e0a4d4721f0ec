"""The state machine as data: one pure function a state, `definition.py` joins them."""
