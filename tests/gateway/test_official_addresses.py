"""How an official client must be pointed at us. Contract 1: one form works, the faults of the others are its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.gateway.client_process import Client

ASK_EACH = """
import os, threading
def ask(name, address):
    try:
        told[name] = Model(URL, base_url=address).predict("x")
    except BaseException as error:
        told[name] = type(error).__name__
TARGET = os.environ["CLARIFAI_API_BASE"].removeprefix("http://")
PORT = TARGET.rpartition(":")[2]
ADDRESSES = {"plain": f"http://{TARGET}", "bare": TARGET, "slash": f"http://{TARGET}/", "tls": f"https://{TARGET}",
             "ipv6": f"http://[::1]:{PORT}"}
threads = [threading.Thread(target=ask, args=each, daemon=True) for each in ADDRESSES.items()]
for thread in threads:
    thread.start()
end = time.monotonic() + 8
for thread in threads:
    thread.join(max(0, end - time.monotonic()))
print("TOLD " + json.dumps(dict(told)), flush=True)
os._exit(0)  # those that wait in vain would wait for 45 s
"""


def test_one_form_of_address_works_and_the_others_do_not(official: Client) -> None:
    told = official.told(ASK_EACH)
    assert told == {"plain": "x", "bare": "x", "ipv6": "ValueError"}  # a slash and TLS: no answer so far
