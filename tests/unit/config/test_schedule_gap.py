import pytest

from modelwright.config.schedule_gap import longest_gap_days


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        ("rate(7 days)", 7),
        ("rate(1 day)", 1),
        ("rate(36 hours)", 2),
        ("rate(5 minutes)", 1),
        ("cron(0 4 * * ? *)", 1),
        ("cron(0 4 ? * * *)", 1),
        ("cron(0 4 ? * MON *)", 7),
        ("cron(0 4 ? * MON-FRI *)", 3),
        ("cron(0 4 ? * TUE,THU *)", 5),
        ("cron(0 4 ? * 1/2 *)", 2),
        ("cron(0 4 ? * SAT-MON *)", 5),
    ],
)
def test_the_longest_time_between_two_runs(schedule, days):
    assert longest_gap_days(schedule) == days


@pytest.mark.parametrize("field", ["1 * ? *", "? * 6L *", "? * 3#2 *", "? JAN MON *", "? * MON 2030", "L * ? *"])
def test_what_is_not_said_by_days_of_the_week_may_be_longer_than_a_week(field):
    assert longest_gap_days(f"cron(0 4 {field})") is None
