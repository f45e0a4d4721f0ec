"""StopExecution at any moment: nothing is recorded after the end, no job is left, no thread stays."""

import threading

RETRY = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 2}]
WORK = {
    "StartAt": "Train",
    "States": {
        "Train": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
            "Arguments": {"TrainingJobName": "{% 'm' & $uuid() %}"},
            "Retry": RETRY,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Rest"}],
            "Next": "Rest",
        },
        "Rest": {"Type": "Wait", "Seconds": 1, "Next": "Train"},
    },
}
MACHINE = {
    "StartAt": "P",
    "TimeoutSeconds": 100_000,
    "States": {
        "P": {
            "Type": "Parallel",
            "End": True,
            "Branches": [
                {
                    "StartAt": "M",
                    "States": {"M": {"Type": "Map", "Items": [1, 2, 3], "ItemProcessor": WORK, "End": True}},
                },
                WORK,
            ],
        }
    },
}


class Surroundings:
    """The clock goes on, and jobs end, well and badly in turn, while executions are stopped."""

    def __init__(self, cloud):
        self._cloud = cloud
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _go_on(self):
        number = 0
        while not self._over.wait(0.001):
            self._cloud.clock.advance(0.5)
            for name, job in self._cloud.sagemaker.jobs.copy().items():
                number += 1
                if job["TrainingJobStatus"] == "InProgress" and number % 3:
                    self._cloud.sagemaker.end(name, "Failed" if number % 2 else "Completed")


def test_stopping_at_any_moment(states, cloud):
    machine = states.create(MACHINE)
    with Surroundings(cloud):
        for wanted in range(12):
            execution = states.call("StartExecution", stateMachineArn=machine)["executionArn"]
            cloud.sagemaker.started(len(cloud.sagemaker.jobs) + wanted)
            states.call("StopExecution", executionArn=execution)
            assert states.wait(execution)["status"] == "ABORTED"
            history = states.history(execution)
            assert [event["id"] for event in history] == list(range(1, len(history) + 1))
            assert [event["type"] for event in history].index("ExecutionAborted") == len(history) - 1
            assert "States.Runtime" not in str(history)
    assert {job["TrainingJobStatus"] for job in cloud.sagemaker.jobs.values()} <= {"Completed", "Failed", "Stopped"}
    left = [t for t in threading.enumerate() if t.name.startswith(("state-", "execution-", "states-timeout"))]
    for thread in left:
        thread.join(60)
    assert not any(thread.is_alive() for thread in left)
