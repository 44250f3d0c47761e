from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource, run_main

from operators.decode import decode
from records import DeadLetter, EndOfInput, Event, Message, RangeRead


def test_events_and_marks_keep_their_order_and_dead_letters_leave() -> None:
    items = [
        Message("kafka:t", 0, 0, b'{"event":"a","distinct_id":"x"}', 0),
        Message("kafka:t", 0, 1, b"{", 0),
        RangeRead("crm", "kafka:t", 0, 5),
        Message("kafka:t", 0, 2, b'{"event":"b","distinct_id":"x"}', 0),
        EndOfInput("kafka:t/0"),
    ]
    events: list[Event | RangeRead | EndOfInput] = []
    dead_letters: list[DeadLetter] = []

    flow = Dataflow("flow")
    decoded = decode("decode", op.input("messages", flow, TestingSource(items, batch_size=2)), 1)
    op.output("events", decoded.events, TestingSink(events))
    op.output("dead_letters", decoded.dead_letters, TestingSink(dead_letters))
    run_main(flow)

    assert [item.event if isinstance(item, Event) else item for item in events] == ["a", items[2], "b", items[4]]
    assert dead_letters == [DeadLetter("kafka:t", 0, 1, "Input data was truncated", b"{")]
