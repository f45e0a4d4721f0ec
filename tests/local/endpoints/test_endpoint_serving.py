from __future__ import annotations

import time


def test_an_endpoint_is_in_service_and_answers(hosting):
    t = time.perf_counter()
    name = hosting.in_service(factor=2)
    print("in service", time.perf_counter() - t)
    t = time.perf_counter()
    assert hosting.ask(name, "1,2\n3,4\n") == [6.0, 14.0]
    print("first", time.perf_counter() - t)
    t = time.perf_counter()
    name = hosting.in_service(factor=3)
    print("in service", time.perf_counter() - t)
    t = time.perf_counter()
    assert hosting.ask(name, "1,2\n3,4\n") == [9.0, 21.0]
    print("first", time.perf_counter() - t)
    for _ in range(50):
        hosting.ask(name, "1,2\n3,4\n") == [9.0, 21.0]
    t = time.perf_counter()
    for _ in range(50):
        hosting.ask(name, "1,2\n3,4\n") == [9.0, 21.0]
    print("each", (time.perf_counter() - t) / 50)
    print(hosting.log(name)[:300])
