"""`modelwright run --traffic`: real requests while a model is replaced; a bad one goes back by itself."""

import json
import signal
import time

import pytest

NAMES = '    names = learnt["classes"]\n'
BREAKS = f"    if '9.0' in str(learnt):\n        raise RuntimeError('broken')\n{NAMES}"


@pytest.fixture(scope="module", autouse=True)
def _short_minutes(whole):
    """So that a bake of five minutes takes ten seconds; a busy machine's latency is no alarm: errors decide here."""
    path = whole.root / "environments" / "dev.yaml"
    path.write_text(path.read_text().replace("endpoint_latency_ms: 1000", "endpoint_latency_ms: 30000"))
    whole.git("commit", "-qam", "busy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODELWRIGHT_MINUTE_SECONDS", "2")
        yield


def test_a_good_model_takes_over_and_no_request_is_lost(up):
    ended = up.run("-p", "C=0.9", "--traffic", "20rps")
    traffic = ended["traffic"]
    assert (ended["status"], traffic["minute_seconds"]) == ("Deployed", 2.0)
    assert traffic["sent"] == traffic["answered"] > 0
    assert (traffic["lost"], traffic["unanswered"], traffic["errors"]) == (0, 0, {})
    assert traffic["p50_seconds"] <= traffic["p99_seconds"]
    assert len(traffic["configurations"]) == 2
    assert sum(each["requests"] for each in traffic["configurations"]) >= traffic["sent"]


def test_a_model_that_fails_goes_back_by_itself_and_no_request_is_lost(up):
    before = up.predictions()
    up.edit("inference.py", NAMES, BREAKS)
    ended = up.run("-p", "C=9.0", "--traffic", "20rps", code=1)
    assert (ended["status"], ended["error"]) == ("RolledBack", "RolledBack")
    assert "is in ALARM: Threshold Crossed" in ended["cause"]
    traffic = ended["traffic"]
    assert (traffic["lost"], traffic["unanswered"]) == (0, 0), traffic["losses"]
    assert list(traffic["errors"]) == ["the model's 500"]
    assert traffic["answered"] + traffic["errors"]["the model's 500"] == traffic["sent"]
    assert up.predictions() == before
    last = json.loads(up.cli("runs", "-n", "1", "--json"))[0]
    assert (last["run"], last["status"]) == (ended["run"], "RolledBack")


@pytest.mark.parametrize("rate", ["50", "0rps", "fast", "501rps"])
def test_what_is_no_rate_is_refused_before_anything_happens(up, rate):
    said = up.cli("run", "penguins", "--traffic", rate, code=2)
    assert f"--traffic {rate}" in said
    assert "50rps" in said


def test_traffic_is_not_for_aws(up):
    assert "--traffic is for the local cloud" in up.cli("run", "penguins", "--traffic", "5rps", "--aws", code=2)


def test_ctrl_c_ends_the_traffic_with_the_run(up):
    up.edit(
        "train.py",
        "def main(",
        "def main(*_):\n    import time; print('sleeping', flush=True); time.sleep(600)\n\n\ndef unused(",
    )
    with up.start("run", "penguins", "--traffic", "20rps") as process:
        wait_until(lambda: is_training(up))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "traffic: " in out


def wait_until(condition, seconds=60.0):
    """Look until it is so: what is waited for is another process's doing, which tells nobody."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)


def is_training(whole):
    """True while a run waits for its training script."""
    with whole.start("logs", "last", "TrainModel") as process:  # an error as long as the run has not come that far
        return "sleeping" in process.communicate(timeout=60)[0]
