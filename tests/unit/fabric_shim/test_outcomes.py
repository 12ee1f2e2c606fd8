import pytest

from fabric_shim.outcomes import encode_result


@pytest.mark.parametrize(
    ("result", "payload"),
    [(None, b""), ("é", "é".encode()), (b"\xff", b"\xff"), ([1], b"[1]"), (True, b"true"), (0, b"0")],
)
def test_results_are_encoded_by_type(result, payload):
    assert encode_result(result) == payload


@pytest.mark.parametrize("result", [1.5, {1, 2}, object()])
def test_results_without_one_text_are_refused(result):
    with pytest.raises(TypeError):
        encode_result(result)
