import pytest

from destinations.posthog.names import free_id, secret_name, slug


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("CRM sync", "crm-sync"),
        ("  --A__b!! c", "a-b-c"),
        ("Crème brûlée", "creme-brulee"),
        ("Ørsted, Łódź & Weiß", "orsted-lodz-weiss"),
        ("İstanbul ｆｕｌｌ", "istanbul-full"),
        ("日本語", ""),
        ("x" * 70, "x" * 60),
        ("x" * 59 + " y", "x" * 59),
    ],
)
def test_a_slug(name, id):
    assert slug(name) == id


@pytest.mark.parametrize(
    ("name", "fallback", "taken", "id"),
    [
        ("a", "b", set(), "a"),
        ("a", "b", {"a", "a-2"}, "a-3"),
        ("日本", "template-x", set(), "template-x"),
        ("日本", "本", set(), "destination"),
        ("Project", "b", set(), "project-destination"),
    ],
)
def test_a_free_id(name, fallback, taken, id):
    assert free_id(name, fallback, taken) == id


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("crm-sync", "api_key"), "CRM_SYNC_API_KEY"),
        (("crm", "apiKey"), "CRM_API_KEY"),
        (("crm", "myHTTPToken2"), "CRM_MY_HTTP_TOKEN2"),
        (("2nd", "key"), "_2ND_KEY"),
        (("crm", "日本"), "CRM"),
    ],
)
def test_the_name_of_a_secret(words, name):
    assert secret_name(*words) == name
