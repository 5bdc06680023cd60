"""Calls of a workflow as code: our SDK in both worlds, and the official one."""

from __future__ import annotations

from dataclasses import dataclass

from playground.sdk.snippets.asks import Snippet
from playground.sdk.snippets.literals import quote
from playground.sdk.snippets.scripts import HIDDEN_TOKEN, OFFICIAL_TOKEN, TOKEN

NOTE = "The SDK comes with the playground: pip install -e . in its folder."
EXAMPLES = {"image": "picture.jpg", "audio": "sound.wav", "video": "film.mp4"}


@dataclass(frozen=True)
class WorkflowAsk:
    """One call: of which workflow, with what. ``medium`` is image, text, audio or video; one of the other three says
    with what: a text, an address, or the name of a file."""

    user_id: str
    app_id: str
    workflow_id: str
    base_url: str
    medium: str
    text: str = ""
    url: str = ""
    file: str = ""
    version_id: str = ""

    @property
    def reference(self) -> str:
        version = f"/versions/{self.version_id}" if self.version_id else ""
        return f"{self.user_id}/{self.app_id}/workflows/{self.workflow_id}{version}"


def write_workflow_snippets(ask: WorkflowAsk) -> list[Snippet]:
    """The call in each language."""
    return [_sync(ask), _async(ask), _official(ask)]


def _asking(ask: WorkflowAsk) -> str:
    if ask.medium == "text":
        return f'predict_by_bytes({quote(ask.text)}.encode(), "text")'
    if ask.url:
        return f'predict_by_url({quote(ask.url)}, "{ask.medium}")'
    return f'predict_by_filepath({quote(ask.file or EXAMPLES[ask.medium])}, "{ask.medium}")'


def _sync(ask: WorkflowAsk) -> Snippet:
    code = f"""\
import os

from playground.sdk import Workflow

workflow = Workflow(
    {quote(ask.reference)},
    base_url={quote(ask.base_url)},
    token=os.environ["{TOKEN}"],
)
reply = workflow.{_asking(ask)}
for output in reply.results[0].outputs:
    print(output.id, output.data)
"""
    return Snippet(code, variables=((TOKEN, HIDDEN_TOKEN),), note=NOTE).named("python", "Python", "python")


def _async(ask: WorkflowAsk) -> Snippet:
    code = f"""\
import asyncio
import os

from playground.sdk import AsyncClient


async def main() -> None:
    async with AsyncClient({quote(ask.base_url)}, token=os.environ["{TOKEN}"]) as client:
        workflow = client.workflow({quote(ask.reference)})
        reply = await workflow.{_asking(ask)}
        for output in reply.results[0].outputs:
            print(output.id, output.data)


asyncio.run(main())
"""
    return Snippet(code, variables=((TOKEN, HIDDEN_TOKEN),), note=NOTE).named("async", "Python, async", "python")


def _official(ask: WorkflowAsk) -> Snippet:
    version = f'\n    workflow_version={{"id": {quote(ask.version_id)}}},' if ask.version_id else ""
    code = f"""\
import os

from clarifai.client.workflow import Workflow

workflow = Workflow(
    user_id={quote(ask.user_id)},
    app_id={quote(ask.app_id)},
    workflow_id={quote(ask.workflow_id)},{version}
    base_url={quote(ask.base_url)},
    pat=os.environ["{OFFICIAL_TOKEN}"],
)
reply = workflow.{_asking(ask)}
for output in reply.results[0].outputs:
    print(output.id, output.data)
"""
    made = Snippet(code, install="pip install clarifai", variables=((OFFICIAL_TOKEN, HIDDEN_TOKEN),))
    return made.named("clarifai", "Clarifai SDK", "python")
