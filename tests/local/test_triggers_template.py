"""What a template connects is connected once it is deployed."""

from __future__ import annotations

from infra.local.laptop import Laptop
from tests.local.kept import wait_kept, word

__all__ = ["word"]


def test_a_rule_of_the_template_starts_its_function(laptop: Laptop, word: str) -> None:
    detail = f'{{"word": "{word}"}}'
    entry = {"Source": "small.template", "DetailType": "test", "Detail": detail}
    laptop.client("events").put_events(Entries=[entry])
    (event,) = wait_kept(laptop, word)
    assert event["detail"] == {"word": word}


def test_a_queue_of_the_template_feeds_its_function(laptop: Laptop, word: str) -> None:
    sqs = laptop.client("sqs")
    url = sqs.get_queue_url(QueueName="small-fed")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=word)
    (event,) = wait_kept(laptop, word)
    assert event["Records"][0]["body"] == word


def test_a_bucket_of_the_template_tells_its_function(laptop: Laptop, word: str) -> None:
    for key in (f"out/{word}", f"in/{word}"):
        laptop.client("s3").put_object(Bucket="small-watched", Key=key, Body=b"")
    (event,) = wait_kept(laptop, word)
    assert event["Records"][0]["s3"]["object"]["key"] == f"in/{word}"


def test_a_schedule_of_the_template_is_there(laptop: Laptop) -> None:
    found = laptop.client("scheduler").get_schedule(Name="small-nightly")
    assert (found["ScheduleExpression"], found["State"]) == ("cron(0 3 * * ? *)", "DISABLED")
