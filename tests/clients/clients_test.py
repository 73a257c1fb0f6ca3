# SPDX-License-Identifier: MIT
"""clients_test.py ICPI SERVICE_SERVER: for every known service, what icpi sends it beside the request types of the
client library that is made for it, and what the service's test server answers beside that library's strict reading."""

import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing
import unittest
import urllib.error
import urllib.request

import anthropic
import google.genai.errors
import google.protobuf.json_format
import google.rpc.error_details_pb2
import mistralai.client
import openai
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming as Messages
from mistralai.client.models import ChatCompletionRequestTypedDict as MistralChat
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming as Chat
from openai.types.completion_create_params import CompletionCreateParamsNonStreaming as Text

import shapes

KEY = "service-key-12345"
icpi = service_server = ""


class Switch(typing.TypedDict):
    type: typing.Literal["enabled", "disabled"]


class Routing(typing.TypedDict, total=False):
    require_parameters: bool


class DeepSeekChat(Chat, total=False):
    thinking: Switch


class OpenRouterChat(Chat, total=False):
    provider: Routing


class SamplersText(Text, total=False):
    """What vLLM and SGLang add."""

    top_k: int
    min_p: float
    repetition_penalty: float


class LlamaText(Text, total=False):
    top_k: int
    min_p: float
    typical_p: float
    top_n_sigma: float
    repeat_penalty: float
    repeat_last_n: int
    dynatemp_range: float
    xtc_probability: float
    dry_multiplier: float
    mirostat: int
    cache_prompt: bool


REQUESTS = {
    "openai": Chat,
    "openai-reasoning": Chat,
    "anthropic": Messages,
    "gemini": Chat,
    "mistral": MistralChat,
    "deepseek": DeepSeekChat,
    "azure": Chat,
    "openrouter": OpenRouterChat,
    "litellm": Chat,
    "tgi": Chat,
    "vllm": SamplersText,
    "sglang": SamplersText,
    "llama-server": LlamaText,
    "ollama": Text,
    "generic": Text,
}
STRICT = (
    openai.APIResponseValidationError,
    anthropic.APIResponseValidationError,
    mistralai.client.errors.ResponseValidationError,
)
VARIABLES = {"azure": "AZURE_OPENAI_API_KEY", "openai-reasoning": "OPENAI_API_KEY"}


def environment(service=""):
    """This one, without other keys, addresses and proxies."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "LANG")}
    if service and REQUESTS.get(service) not in (Text, SamplersText, LlamaText) and service != "tgi":
        kept[VARIABLES.get(service, service.upper() + "_API_KEY")] = KEY
    return kept


class Server:
    """The test server of a service, while the block lasts."""

    def __init__(self, service, log, how=()):
        self.command = [service_server, service, str(log), *how]

    def __enter__(self):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self.url = self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.refusals = self.process.communicate()[1]


def sent_by_icpi(service, folder):
    """The bodies of a short run."""
    log = folder / "bodies"
    with Server(service, log) as server:
        words = [icpi, "train", "--domain", "chain", "--model", "http", "--service", service, "--base-url", server.url]
        words += ["--model-name", "chain-oracle", "--seeds", "0:1", "--set", "mode=stable", "--steps", "25"]
        words += ["--set", "warm_up_successes=-1000", "--out", str(folder / "out")]
        done = subprocess.run(words, env=environment(service), capture_output=True, text=True, check=False)
    if done.returncode != 0 or server.refusals:
        raise AssertionError(f"{service}: exit code {done.returncode}: {done.stderr}{server.refusals}")
    return [json.loads(line) for line in log.read_text().splitlines()]


def ask(service, url, body):
    """Puts `body` to the server through the library of the service, which reads the answer strictly."""
    if service == "anthropic":
        root = url.removesuffix("/v1")
        client = anthropic.Anthropic(base_url=root, api_key=KEY, max_retries=0, _strict_response_validation=True)
        return client.messages.create(**body).content[0].text
    if service == "mistral":
        answer = mistralai.client.Mistral(api_key=KEY, server_url=url.removesuffix("/v1")).chat.complete(**body)
        return answer.choices[0].message.content[-1].text
    client = openai.OpenAI(
        base_url=url, api_key=KEY, default_headers={"api-key": KEY}, max_retries=0, _strict_response_validation=True
    )
    standard = Chat if "messages" in body else Text
    known = {key: value for key, value in body.items() if key in shapes.hints_of(standard)}
    extra = {key: value for key, value in body.items() if key not in known}
    if standard is Chat:
        return client.chat.completions.create(**known, extra_body=extra).choices[0].message.content
    return client.completions.create(**known, extra_body=extra).choices[0].text


class Services(unittest.TestCase):
    """One test a service, made below."""

    def check_requests(self, service, hint, bodies):
        self.assertGreater(len(bodies), 20, service)
        found = itertools.chain.from_iterable(shapes.faults(body, hint) for body in bodies)
        self.assertEqual(sorted(set(found)), [], service)
        limit = next(key for key in bodies[0] if key.startswith("max_"))
        for wrong in {"planted": 1}, {limit: "many"}, {"model": None}:
            self.assertEqual(len(shapes.faults({**bodies[0], **wrong}, hint)), 1, f"{service}: {wrong}")

    def check_answers(self, service, body):
        with tempfile.TemporaryDirectory() as name:
            log = pathlib.Path(name) / "bodies"
            with Server(service, log) as server:
                self.assertTrue(ask(service, server.url, body).strip(), service)
            self.assertEqual(server.refusals, "")
            with Server(service, log, ["wrong"]) as server, self.assertRaises(STRICT) as caught:
                ask(service, server.url, body)
            self.assertIn("many", f"{caught.exception} {caught.exception.__cause__}", service)


    def post(self, how, body):
        """The status and the body of Gemini's answer."""
        with tempfile.TemporaryDirectory() as name, Server("gemini", pathlib.Path(name) / "bodies", how) as server:
            headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
            request = urllib.request.Request(server.url + "/chat/completions", json.dumps(body).encode(), headers)
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request, timeout=60)
            with caught.exception as answer:
                return answer.code, json.load(answer)

    def test_gemini_errors(self):
        """Errors of Gemini are those of its own client, whose other types are of another route."""
        question = {"model": "m", "messages": [{"role": "user", "content": "assert"}]}
        status, body = self.post([], {**question, "seed": 1})
        error = google.genai.errors.ClientError(status, body)
        self.assertEqual((error.code, error.status), (400, "INVALID_ARGUMENT"))
        self.assertIn("seed", error.message)
        status, body = self.post(["limited"], question)
        error = google.genai.errors.ClientError(status, body)
        self.assertEqual((error.code, error.status), (429, "RESOURCE_EXHAUSTED"))
        self.assertEqual(retry_seconds(error), 34)
        for key in "code", "message", "status":
            planted = google.genai.errors.ClientError(0, [{"error": {**body[0]["error"], key: None}}])
            self.assertIsNone(getattr(planted, key), key)
        with self.assertRaises(google.protobuf.json_format.ParseError):
            retry_seconds(google.genai.errors.ClientError(*self.post(["limited-wrong"], question)))


def retry_seconds(error):
    """When the error says to come again, read strictly."""
    details = dict(error.details["error"]["details"][0])
    if details.pop("@type") != "type.googleapis.com/google.rpc.RetryInfo":
        raise AssertionError(error)
    parsed = google.protobuf.json_format.ParseDict(details, google.rpc.error_details_pb2.RetryInfo())
    return parsed.retry_delay.seconds


def test_of(service, hint):
    def test(self):
        with tempfile.TemporaryDirectory() as name:
            bodies = sent_by_icpi(service, pathlib.Path(name))
        self.check_requests(service, hint, bodies)
        self.check_answers(service, bodies[0])

    return test


if __name__ == "__main__":
    icpi, service_server = sys.argv[1:]
    for variable in [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("OPENAI_")]:
        del os.environ[variable]
    for service_name, request_type in REQUESTS.items():
        setattr(Services, "test_" + service_name.replace("-", "_"), test_of(service_name, request_type))
    unittest.main(argv=sys.argv[:1], defaultTest="Services", verbosity=2)
