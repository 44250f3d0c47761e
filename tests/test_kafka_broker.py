import base64

from hypothesis import example, given
from hypothesis import strategies as st

from tests.kafka_broker import cluster_id


@given(st.binary(min_size=16, max_size=16))
@example(b"\xf8" + bytes(15))
def test_a_cluster_id_is_never_taken_for_an_option(random: bytes) -> None:
    written = cluster_id(random)
    assert not written.startswith("-")
    assert len(base64.urlsafe_b64decode(written + "==")) == 16
