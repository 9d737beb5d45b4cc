#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The Python reference as a peer for tests/proto/test_proto_interop.c.

Reads one command a line, "name argument...", octets in hex; answers one line,
"ok value..." or "error text". reattach.py is the reference itself; the
handshake, mac1 and the rest of the key schedule, which it leaves out, are
written here from the protocol description.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from noise import SS, b2, dh, kdf, pub  # noqa: E402
import reattach  # noqa: E402
from reattach import Client, Server, ems, epoch  # noqa: E402

HS_NAME = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b"
HS_PROLOGUE = b"JVPN1 hs\x01"
STATES = {"ATTACHED": reattach.ATT, "VOLATILE": reattach.VOL, "RECOVERING": reattach.REC,
          "TERMINATED": reattach.TERM}
world = {}


def mac1(message, receiver_pub):
    key = b2(32, b"mac1----" + receiver_pub)
    return message + b2(16, message, key) + b"\0" * 16


def mac1_check(message, receiver_pub):
    if mac1(message[:-32], receiver_pub)[:-16] != message[:-16]:
        raise ValueError("mac1")


def epoch_bytes(e):
    return (e["c2s"] + e["s2c"] + e["idx_c2s"] + e["idx_s2c"] + e["ctl_c2s"] + e["ctl_s2c"])


def handshake_keys(state):
    secret = ems(state)
    rms = kdf(secret, 6, b"JVPNep_1", 32)
    return epoch_bytes(epoch(secret)) + b"".join(kdf(rms, i, b"JVPNrms1", 32) for i in (1, 2, 3))


def mix_e(state, point):
    state.mixh(point)
    state.mixk(point)


# --- handshake ---------------------------------------------------------------

def hs_client_init(c, s_pub, psk, payload, sender):
    e = os.urandom(32)
    state = SS(HS_NAME, HS_PROLOGUE)
    state.mixh(s_pub)
    mix_e(state, pub(e))
    state.mixk(dh(e, s_pub))
    sealed = state.enc(pub(c))
    state.mixk(dh(c, s_pub))
    world["hs"] = (state, e, c, psk, sender)
    body = bytes([1, 1, 0, 0]) + sender + pub(e) + sealed
    return [mac1(body + state.enc(payload), s_pub)]


def hs_client_finish(message):
    state, e, c, psk, sender = world["hs"]
    mac1_check(message, pub(c))
    if len(message) != 316 or message[:4] != bytes([2, 1, 0, 0]) or message[8:12] != sender:
        raise ValueError("header")
    point = message[12:44]
    mix_e(state, point)
    state.mixk(dh(e, point))
    state.mixk(dh(c, point))
    state.mixkh(psk)
    payload = state.dec(message[44:284])
    return [payload, handshake_keys(state)]


def hs_server(s, psk, message, payload, sender):
    mac1_check(message, pub(s))
    if len(message) != 328 or message[:4] != bytes([1, 1, 0, 0]):
        raise ValueError("header")
    state = SS(HS_NAME, HS_PROLOGUE)
    state.mixh(pub(s))
    point = message[8:40]
    mix_e(state, point)
    state.mixk(dh(s, point))
    c_pub = state.dec(message[40:88])
    state.mixk(dh(s, c_pub))
    said = state.dec(message[88:296])
    e = os.urandom(32)
    mix_e(state, pub(e))
    state.mixk(dh(e, point))
    state.mixk(dh(e, c_pub))
    state.mixkh(psk)
    body = bytes([2, 1, 0, 0]) + sender + message[4:8] + pub(e)
    answer = mac1(body + state.enc(payload), c_pub)
    return [c_pub, said, answer, handshake_keys(state)]


# --- reattach, the reference as gateway ---------------------------------------

def server_new(c_pub):
    server = world["server"] = Server()
    sid, rms = server.new(c_pub)
    world["session"] = server.sess[sid]
    world["session"]["bound"] = "A"
    return [server.S_pub, sid, rms, server.ticket(sid)]


def server_rx(message, address):
    if message[0] == reattach.T_REQ:
        mac1_check(message, world["server"].S_pub)
    return [answer for _, answer in world["server"].rx(message, address)]


def server_state():
    x = world["session"]
    key = epoch_bytes(x["epoch"]) if x["epoch"] else b""
    return [x["V"], x["E"], x["installs"], world["server"].dh, x["bound"], key]


def server_step(state):
    world["server"].step(world["session"], STATES[state])
    return []


def server_restart():
    world["server"].ring = {}
    world["server"].rotate()
    return []


# --- reattach, the reference as client ----------------------------------------

def client_new(sid, rms, c, s_pub, ticket):
    world["client"] = Client(sid, rms, c, s_pub, ticket)
    return []


def client_request(path, standby):
    message = world["client"].request(path, standby == "standby")
    return [mac1(message[:-32], world["client"].S_pub)]


def client_challenge(message, ahead):
    client = world["client"]
    before = set(client.pend)
    version = None
    if int(ahead):
        version = struct.unpack("<Q", proof_version(message))[0] + int(ahead)
    _, proof = client.on_challenge(message, V=version)
    if proof in before:
        raise ValueError("PROOF twice")
    return [proof, epoch_bytes(client.pend[proof])]


def proof_version(message):
    """V_cur of a CHALLENGE, read without taking it."""
    c = world["client"]
    nc, ns, e_s = message[4:28], message[28:44], message[68:100]
    state = reattach.start(c.r, c.sid, nc, ns, c.S_pub, c.C_pub, e_s)
    return state.dec(message[100:])[:8]


def client_ack(message):
    v_new, v_cur = world["client"].on_ack(message)
    return [v_new, v_cur, epoch_bytes(world["client"].cur)]


TEXT = {"server-rx": 1, "server-step": 0, "client-request": 0, "client-challenge": 1}
COMMANDS = {"hs-client-init": hs_client_init, "hs-client-finish": hs_client_finish,
            "hs-server": hs_server, "server-new": server_new, "server-rx": server_rx,
            "server-state": server_state, "server-step": server_step,
            "server-restart": server_restart, "client-new": client_new,
            "client-request": client_request, "client-challenge": client_challenge,
            "client-ack": client_ack}


def decode(name, words):
    text_from = TEXT.get(name, len(words))
    return [w if i >= text_from else bytes.fromhex(w) for i, w in enumerate(words)]


def encode(value):
    if isinstance(value, bytes):
        return value.hex() or "-"
    return str(value)


for line in sys.stdin:
    name, *words = line.split()
    try:
        values = COMMANDS[name](*decode(name, words))
        print(" ".join(["ok"] + [encode(v) for v in values]), flush=True)
    except Exception as error:  # whatever it is, the test wants to see it
        print("error", type(error).__name__, error, flush=True)
