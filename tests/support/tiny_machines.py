"""State machines of one state, and how a test waits until one has been entered."""

import threading

WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Output": {"x": "{% $states.input.x %}"}, "End": True}}}
LOGGED = {
    "level": "ALL",
    "includeExecutionData": True,
    "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:r:1:log-group:/states/p:*"}}],
}


def until_entered(states, execution, state_type="WaitStateEntered"):
    for _ in range(2000):
        if state_type in states.types(execution):
            return
        threading.Event().wait(0.002)
    raise AssertionError(f"{state_type} did not happen")
