"""Ask one inference container over HTTP, and say in our own errors what comes of it.

    it is not there, answers too late, or breaks the connection three times   ContainerSilent
    a proxy answers in its place (502, 503, 504)                              ContainerSilent
    it answers {"error": "..."}                                               InputRefused: the contract has no other way to refuse a picture
    it answers what the contract does not know                                Busy

Connections are kept and used again. One that turns out to be broken (the container was started anew) costs a second try 50 ms later and a third
after 250 ms more: embedding twice does no harm. May import httpx, msgspec and `domain`.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import msgspec

from nearimage.domain.errors import Busy, ContainerSilent, InputRefused, NearimageError

_log = logging.getLogger(__name__)

PAUSES_S = (0.05, 0.25)
"""Before the second and the third try (Weaviate's)."""

PROBE_S = 0.5
"""For the questions that a healthy container answers at once (Weaviate's)."""

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""A vector of 2,048 numbers is 40 KB of JSON; this bounds what a wrong address can make us read."""

_BROKEN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError)

_REFUSALS = frozenset({400, 413, 415, 422, 500})
"""The statuses with which containers refuse an input."""

_FROM_PROXIES = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


class Container:
    """One container.

    Args:
        module: whose container it is, for messages.
        url: its address, without a path.
        timeout_s: for one request, from sending to the last byte.
        connections: as many requests at a time.
    """

    def __init__(self, module: str, url: str, *, timeout_s: float, connections: int) -> None:
        self._module = module
        self._url = url
        self._timeout_s = timeout_s
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._http = httpx.Client(base_url=url, limits=limits, timeout=timeout_s, trust_env=False, follow_redirects=False)

    def ask(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """The answer to a request.

        Raises:
            InputRefused: the container says what is wrong with the input; detail has "status".
            ContainerSilent: it did not answer.
            Busy: the answer is not one that the contract knows; detail has "module".
        """
        answer = self._send(path, msgspec.json.encode(body))
        fields = _fields(answer.body)
        error = fields.get("error") if fields else None
        if isinstance(error, str) and error and (answer.status in _REFUSALS or answer.status == httpx.codes.OK):
            raise InputRefused(f"the inference container of {self._module} refused the input: fail with status {answer.status}: {error}", status=answer.status)
        if answer.status in _FROM_PROXIES:
            raise self._silent(f"is not there: a proxy answers with status {answer.status}")
        if answer.status != httpx.codes.OK or fields is None:
            what = "no JSON object" if fields is None else "an error it does not explain"
            raise self._busy(f"answered with status {answer.status} and {what}")
        return fields

    def is_ready(self) -> bool:
        """Whether it answers that it is ready."""
        try:
            return self._http.get("/.well-known/ready", timeout=PROBE_S).status_code < httpx.codes.MULTIPLE_CHOICES
        except httpx.HTTPError:
            return False

    def about(self) -> Mapping[str, object]:
        """What it says about its model; {"error": ...} where it says nothing."""
        try:
            answer = self._http.get("/meta", timeout=PROBE_S)
        except httpx.HTTPError as error:
            return {"error": f"the inference container does not answer ({_reason(error)})"}
        fields = _fields(answer.content) if answer.is_success else None
        return {"error": f"the inference container answered /meta with status {answer.status_code}"} if fields is None else fields

    def unusable(self, wrong: Exception) -> NearimageError:
        """The error for an answer that has the wrong vectors in it."""
        return self._busy(f"sent an answer that does not fit the request: {wrong}")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _send(self, path: str, content: bytes) -> _Answer:
        ends = time.monotonic() + self._timeout_s
        for pause_s in (*PAUSES_S, None):
            try:
                return self._send_once(path, content, ends)
            except _BROKEN as error:
                if pause_s is None or time.monotonic() + pause_s > ends:
                    raise self._silent(f"broke the connection ({_reason(error)})") from error
                time.sleep(pause_s)
            except httpx.TimeoutException as error:
                raise self._silent(f"did not answer within {self._timeout_s:g} s") from error
            except httpx.HTTPError as error:
                raise self._silent(f"does not answer ({_reason(error)})") from error
            except RuntimeError as error:  # what httpx raises once it is closed
                raise Busy("the server is stopping; send the request again later") from error
        raise AssertionError("the last pause is None")

    def _send_once(self, path: str, content: bytes, ends: float) -> _Answer:
        """One try. httpx counts its time-out from byte to byte, so the whole is watched here."""
        left_s = max(ends - time.monotonic(), 0.001)
        headers = {"content-type": "application/json"}
        with self._http.stream("POST", path, content=content, headers=headers, timeout=left_s) as reply:
            parts, size = [], 0
            for part in reply.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > MAX_ANSWER_BYTES:
                    raise self._busy(f"sent more than {MAX_ANSWER_BYTES:,} bytes")
                if time.monotonic() > ends:
                    raise self._silent(f"did not answer within {self._timeout_s:g} s")
            return _Answer(reply.status_code, b"".join(parts))

    def _busy(self, what: str) -> Busy:
        return Busy(self._told(what), module=self._module)

    def _silent(self, what: str) -> ContainerSilent:
        return ContainerSilent(self._told(what), module=self._module)

    def _told(self, what: str) -> str:
        """The message for the caller; the log has the address too, which is nobody else's business."""
        _log.warning("the inference container of %s at %s %s", self._module, self._url, what)
        return f"the inference container of {self._module} {what}; try again once it is well"


def _fields(body: bytes) -> dict[str, object] | None:
    """The JSON object, or None where there is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except msgspec.MsgspecError:
        return None


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
