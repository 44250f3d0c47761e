"""The AWS templates against moto: what arrives, once each, what is refused, and whose signature it is."""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pytest
from moto.core.config import default_user_config

from records import Outcome, Verdict
from tests.catalog.receivers import ACCOUNT, REGION, Aws, Keys, Sent, aws
from tests.catalog.sent import ARRIVED, EVENTS, WRITTEN, assert_delivered, in_order
from tests.connectors.certificates import needs_openssl

pytestmark = needs_openssl


class Target(NamedTuple):
    """What a template of AWS is tried with."""

    action: str
    """What its user has to be allowed, as its README says."""
    inputs: dict[str, Any]
    """They name what is not there."""
    words: str = ""
    """What the service says to that."""


TARGETS = {
    "aws-kinesis": Target(
        "kinesis:PutRecords",
        {"aws_kinesis_stream_name": "nowhere", "payload": WRITTEN},
        f"400: ResourceNotFoundException Stream nowhere under account {ACCOUNT} not found.",
    ),
    "aws-firehose": Target(
        "firehose:PutRecordBatch",
        {"stream": "nowhere", "record": WRITTEN},
        f"400: ResourceNotFoundException Firehose nowhere under account {ACCOUNT} not found.",
    ),
    "aws-sqs": Target(
        "sqs:SendMessage*",  # moto calls `sqs:SendMessage` by the name of the operation
        {"queue_url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/nowhere", "message": WRITTEN},
        "400: com.amazonaws.sqs#QueueDoesNotExist The specified queue does not exist.",
    ),
    "aws-sns": Target(
        "sns:Publish",
        {"topic_arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:nowhere", "message": WRITTEN},
        "404: NotFound ",
    ),
    "aws-eventbridge": Target(
        "events:PutEvents",
        {"event_bus": "nowhere", "detail": WRITTEN},
        "400: ResourceNotFoundException Event bus nowhere does not exist.",
    ),
    "aws-s3": Target(
        "s3:PutObject",
        {"bucket": "nowhere", "content": WRITTEN},
        "404: NoSuchBucket The specified bucket does not exist",
    ),
    "aws-lambda": Target(
        "lambda:Invoke*",  # moto calls `lambda:InvokeFunction` by the name of the operation
        {"function": "nowhere", "payload": WRITTEN},
        f"404: Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:nowhere",
    ),
}
each_target = pytest.mark.parametrize("slug", TARGETS)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with aws(tmp_path_factory.mktemp("aws")) as made:
        yield made


@pytest.fixture(scope="module")
def keys(cloud: Aws) -> dict[str, Keys]:
    """Of a user for each template, who may do what its README says and nothing else."""
    return {slug: cloud.user(slug, target.action) for slug, target in TARGETS.items()}


def inputs_of(slug: str, keys: Keys, **inputs: Any) -> dict[str, Any]:
    first = "aws_" if slug == "aws-kinesis" else ""
    return {
        f"{first}access_key_id": keys.id,
        f"{first}secret_access_key": keys.secret,
        **TARGETS[slug].inputs,
        **inputs,
    }


@pytest.fixture(scope="module")
def function(cloud: Aws) -> str:
    """The name of one that answers with what it gets."""
    name = "on-signup"
    role = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", "def run(event, context): return event")
    made = {"Runtime": "python3.12", "Handler": "main.run", "Role": role, "Code": {"ZipFile": packed.getvalue()}}
    cloud.client("lambda").create_function(FunctionName=name, **made)
    return name


def assert_delivered_together(made: tuple[Sequence[Outcome], Sequence[Sent]]) -> None:
    """All events, in one request."""
    outcomes, sent = made
    assert_delivered(outcomes)
    assert len(sent) == 1


def taken(cloud: Aws, queue: str, count: int = len(EVENTS)) -> list[dict[str, Any]]:
    """All messages of a queue, which is empty then."""
    sqs, messages = cloud.client("sqs"), list[dict[str, Any]]()
    asked = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"]}
    while got := sqs.receive_message(QueueUrl=queue, **asked).get("Messages", []):
        messages += got
        for message in got:  # one that is not taken away hides the others of its group
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert len(messages) == count
    return messages


def new_queue(cloud: Aws, name: str) -> str:
    fifo = {"Attributes": {"FifoQueue": "true"}} if name.endswith(".fifo") else {}
    cloud.client("sqs").create_queue(QueueName=name, **fifo)
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"


def objects(cloud: Aws, bucket: str) -> dict[str, bytes]:
    s3 = cloud.client("s3")
    names = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return {name: s3.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}


def test_kinesis_has_each_record_once(cloud: Aws, keys: dict[str, Keys]) -> None:
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName="events", ShardCount=1)
    inputs = inputs_of("aws-kinesis", keys["aws-kinesis"], aws_kinesis_stream_name="events")
    assert_delivered_together(cloud.send("aws-kinesis", inputs, EVENTS))
    [shard] = kinesis.list_shards(StreamName="events")["Shards"]
    place = {"StreamName": "events", "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    records = kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(**place)["ShardIterator"])["Records"]
    assert in_order([record["Data"] for record in records]) == ARRIVED
    assert sorted(record["PartitionKey"] for record in records) == ["ada-0", "ada-1", "ada-2"]


def test_firehose_writes_each_record_once_on_a_line_of_its_own(cloud: Aws, keys: dict[str, Keys]) -> None:
    cloud.client("s3").create_bucket(Bucket="files")
    to = {"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/x", "BucketARN": "arn:aws:s3:::files"}
    cloud.client("firehose").create_delivery_stream(DeliveryStreamName="events", ExtendedS3DestinationConfiguration=to)
    inputs = inputs_of("aws-firehose", keys["aws-firehose"], stream="events")
    assert_delivered_together(cloud.send("aws-firehose", inputs, EVENTS))
    written = b"".join(objects(cloud, "files").values())
    assert written.endswith(b"\n")
    assert in_order(written.removesuffix(b"\n").split(b"\n")) == ARRIVED


def test_sqs_has_each_message_once_with_its_attributes(cloud: Aws, keys: dict[str, Keys]) -> None:
    queue = new_queue(cloud, "events")
    inputs = inputs_of("aws-sqs", keys["aws-sqs"], queue_url=queue)
    assert_delivered_together(cloud.send("aws-sqs", inputs, EVENTS))
    messages = taken(cloud, queue)
    assert in_order([message["Body"] for message in messages]) == ARRIVED
    for message in messages:
        body, attributes = json.loads(message["Body"]), message["MessageAttributes"]
        assert {name: one["StringValue"] for name, one in attributes.items()} == {
            "event": body["name"],
            "uuid": body["uuid"],
        }


def test_sns_tells_each_message_once_with_its_attributes(cloud: Aws, keys: dict[str, Keys]) -> None:
    queue = new_queue(cloud, "told")
    topic = cloud.client("sns").create_topic(Name="events")["TopicArn"]
    subscription = {"Protocol": "sqs", "Endpoint": f"arn:aws:sqs:{REGION}:{ACCOUNT}:told"}
    cloud.client("sns").subscribe(TopicArn=topic, **subscription)
    inputs = inputs_of("aws-sns", keys["aws-sns"], topic_arn=topic, subject="something new")
    # Moto signs the form as it would write it, with a plus for a space; `botocore` below has the bytes that were sent.
    assert_delivered(cloud.send("aws-sns", inputs, EVENTS, checks=False)[0])
    told = [json.loads(message["Body"]) for message in taken(cloud, queue)]
    assert in_order([one["Message"] for one in told]) == ARRIVED
    assert {one["Subject"] for one in told} == {"something new"}
    for one in told:
        body = json.loads(one["Message"])
        assert {key: value["Value"] for key, value in one["MessageAttributes"].items()} == {
            "event": body["name"],
            "uuid": body["uuid"],
        }


def test_sns_takes_the_signature(cloud: Aws, keys: dict[str, Keys]) -> None:
    topic = cloud.client("sns").create_topic(Name="plain")["TopicArn"]
    inputs = inputs_of("aws-sns", keys["aws-sns"], topic_arn=topic)
    assert_delivered(cloud.send("aws-sns", inputs, EVENTS[1:2])[0], 1)


@pytest.mark.parametrize("person", ["ada-0", "Łódź", "x" * 200], ids=["plain", "not ASCII", "long"])
def test_fifo_takes_no_event_twice(cloud: Aws, keys: dict[str, Keys], person: str) -> None:
    name = f"in-order-{len(person)}"
    queue = new_queue(cloud, f"{name}.fifo")
    topic = cloud.client("sns").create_topic(Name=f"{name}.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    told = new_queue(cloud, f"{name}-told.fifo")
    subscription = {"Protocol": "sqs", "Endpoint": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-told.fifo"}
    cloud.client("sns").subscribe(TopicArn=topic, **subscription)
    twice = [EVENTS[0] | {"distinct_id": person}] * 2
    assert_delivered(cloud.send("aws-sqs", inputs_of("aws-sqs", keys["aws-sqs"], queue_url=queue), twice)[0], 2)
    by_topic = inputs_of("aws-sns", keys["aws-sns"], topic_arn=topic)
    assert_delivered(cloud.send("aws-sns", by_topic, twice, checks=False)[0], 2)
    [one], [other] = taken(cloud, queue, 1), taken(cloud, told, 1)
    assert json.loads(one["Body"])["uuid"] == json.loads(json.loads(other["Body"])["Message"])["uuid"]
    assert one["Attributes"]["MessageGroupId"] == other["Attributes"]["MessageGroupId"]


def test_eventbridge_gives_each_event_once_to_the_rule_that_the_readme_names(cloud: Aws, keys: dict[str, Keys]) -> None:
    events, queue = cloud.client("events"), new_queue(cloud, "ruled")
    events.create_event_bus(Name="shop")
    for name, kind in (("first", "signed up"), ("second", "$pageview"), ("third", "bestellt")):
        pattern = json.dumps({"source": ["offramp"], "detail-type": [kind]})
        events.put_rule(Name=name, EventBusName="shop", EventPattern=pattern)
        to = {"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:ruled"}
        events.put_targets(Rule=name, EventBusName="shop", Targets=[to])
    inputs = inputs_of("aws-eventbridge", keys["aws-eventbridge"], event_bus="shop", resources=["arn:aws:s3:::files"])
    assert_delivered_together(cloud.send("aws-eventbridge", inputs, EVENTS))
    got = [json.loads(message["Body"]) for message in taken(cloud, queue)]
    assert in_order([json.dumps(one["detail"]) for one in got]) == ARRIVED
    assert {(one["time"], *one["resources"]) for one in got} == {("2026-11-20T10:00:00Z", "arn:aws:s3:::files")}


@pytest.mark.parametrize("bucket", ["events", "my.events"])
@pytest.mark.parametrize("folder", ["events", "a b/ü+(1)*'!~&=%"], ids=["plain", "odd"])
def test_s3_keeps_each_object_as_it_was_written_first(
    cloud: Aws, keys: dict[str, Keys], bucket: str, folder: str
) -> None:
    bucket = f"{bucket}{len(folder)}"
    cloud.client("s3").create_bucket(Bucket=bucket)
    inputs = inputs_of("aws-s3", keys["aws-s3"], bucket=bucket, key=f"{folder}/{{event.uuid}}.json")
    assert_delivered(cloud.send("aws-s3", inputs, EVENTS)[0])
    assert_delivered(cloud.send("aws-s3", inputs | {"content": "something else"}, EVENTS)[0])
    written = objects(cloud, bucket)
    assert sorted(written) == [f"{folder}/{one['uuid']}.json" for one in EVENTS]
    assert in_order(list(written.values())) == ARRIVED


@pytest.mark.parametrize("prefix", ["", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"], ids=["name", "ARN"])
@pytest.mark.parametrize("invocation", ["Event", "RequestResponse"])
def test_lambda_is_called_once_for_each_event(
    cloud: Aws, keys: dict[str, Keys], function: str, prefix: str, invocation: str
) -> None:
    inputs = inputs_of("aws-lambda", keys["aws-lambda"], function=prefix + function, invocation=invocation)
    outcomes, sent = cloud.send("aws-lambda", inputs, EVENTS)
    assert_delivered(outcomes)
    # Moto runs no function without Docker: what it was called with is what the server got.
    assert in_order([one.body for one in sent]) == ARRIVED
    assert all(one.is_signed_with(keys["aws-lambda"].secret) for one in sent)


@each_target
def test_what_is_not_there_fails_in_the_service_s_own_words(
    cloud: Aws, keys: dict[str, Keys], slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(default_user_config, "lambda")  # without Docker it asks for no function
    [outcome], sent = cloud.send(slug, inputs_of(slug, keys[slug]), EVENTS[1:2])
    assert outcome.verdict is Verdict.FAILED
    status, words = TARGETS[slug].words.rstrip(".").split(": ", 1)
    assert re.search(f"answered {status}\\b", outcome.reason)
    assert words in outcome.reason
    assert len(sent) == 1


@each_target
def test_a_wrong_secret_key_is_refused(cloud: Aws, keys: dict[str, Keys], slug: str) -> None:
    wrong = Keys(keys[slug].id, keys[slug].secret[::-1])
    [outcome], _ = cloud.send(slug, inputs_of(slug, wrong), EVENTS[1:2])
    assert outcome.verdict is Verdict.FAILED
    assert re.search(r"answered 403\b", outcome.reason)
    assert "SignatureDoesNotMatch" in outcome.reason


@each_target
def test_a_user_who_may_do_something_else_is_refused(cloud: Aws, keys: dict[str, Keys], slug: str) -> None:
    other = keys["aws-sqs" if slug != "aws-sqs" else "aws-kinesis"]
    [outcome], _ = cloud.send(slug, inputs_of(slug, other), EVENTS[1:2])
    assert outcome.verdict is Verdict.FAILED
    assert re.search(r"answered 403\b", outcome.reason)
    assert "AccessDenied" in outcome.reason


@each_target
def test_botocore_makes_the_same_signatures(cloud: Aws, keys: dict[str, Keys], slug: str) -> None:
    _, sent = cloud.send(slug, inputs_of(slug, keys[slug]), EVENTS)
    assert [one.is_signed_with(keys[slug].secret) for one in sent] == [True] * len(sent)
    assert sent
    assert not any(one.is_signed_with("another") for one in sent)
    assert not any(one._replace(body=one.body + b" ").is_signed_with(keys[slug].secret) for one in sent)
