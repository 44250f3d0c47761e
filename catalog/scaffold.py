"""The files of a new template, to be filled in: `SLUG` stands for its name."""

from typing import Final

FILES: Final = {
    "template.yaml": """\
name: 'SLUG'
description: Says in one sentence what is done with each event.
category: Custom
status: alpha
docs: https://example.com/api
source: example.com, "Events API", 2026-11
hosts: [api.example.com]
inputs:
  api_key:
    type: string
    label: API key
    description: Where it is found, and what it has to be allowed to do.
    example: '{secrets.API_KEY}'
    secret: true
    required: true
request:
  url: https://api.example.com/events
  headers: {Authorization: 'Bearer {inputs.api_key}', Content-Type: application/json}
  body: {name: '{event.event}'}
""",
    "cases.yaml": """\
inputs: {api_key: k-1}
cases:
  - name: an event
    event: {event: signed up}
    requests:
      - url: https://api.example.com/events
        headers: {Authorization: Bearer k-1, Content-Type: application/json}
        body: {name: signed up}
  - name: a wrong key
    answers: [{status: 401, body: {error: unauthorized}}]
    requests:
      - url: https://api.example.com/events
        headers: {Authorization: Bearer k-1, Content-Type: application/json}
        body: {name: $pageview}
    fails: answered 401
""",
    "README.md": """\
# SLUG

What it does with each event, and when it passes one over.

| input | |
|---|---|
| `api_key` | where it is found |

Limits: how many requests a second, how large.

Errors: what each of them means, and what to do.
""",
}
