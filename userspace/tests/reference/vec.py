# SPDX-License-Identifier: GPL-2.0
"""Check published vectors incl. the token sequences used by the proposal (IK, IKpsk2, KK1, KKpsk0)."""
import json, sys
from noise import *
X = bytes.fromhex
def run(v):
    parts = v["protocol_name"].split("_"); pat = parts[1]; base, psks = (pat.split("psk") + [""])[:2] if "psk" in pat else (pat, "")
    s = SS(v["protocol_name"], X(v["init_prologue"])); m = v["messages"]
    iS, iE, rS, rE = (X(v.get(k, "")) for k in ("init_static", "init_ephemeral", "resp_static", "resp_ephemeral"))
    psk = X(v["init_psks"][0]) if psks else b""
    toks = {"IK": [["e", "es", "s", "ss"], ["e", "ee", "se"]], "KK1": [["e"], ["e", "ee", "se", "es"]], "KK": [["e", "es", "ss"], ["e", "ee", "se"]]}[base]
    toks = [list(t) for t in toks]
    if psks == "0": toks[0].insert(0, "psk")
    elif psks: toks[int(psks) - 1].append("psk")
    if base.startswith("KK"): s.mixh(pub(iS))
    s.mixh(pub(rS))
    for i, ts in enumerate(toks):
        out = b""
        for t in ts:
            if t == "e":
                e = pub((iE, rE)[i]); s.mixh(e); out += e
                if psks: s.mixk(e)
            elif t == "s": out += s.enc(pub((iS, rS)[i]))
            elif t == "psk": s.mixkh(psk)
            elif t == "ee": s.mixk(dh(iE, pub(rE)))
            elif t == "es": s.mixk(dh(iE, pub(rS)))
            elif t == "se": s.mixk(dh(iS, pub(rE)))
            elif t == "ss": s.mixk(dh(iS, pub(rS)))
        out += s.enc(X(m[i]["payload"]))
        assert out.hex() == m[i]["ciphertext"], (v["protocol_name"], i)
    if "handshake_hash" in v: assert s.h.hex() == v["handshake_hash"]
    k = s.split(); n = [0, 0]
    for i, mm in enumerate(m[2:]):
        d = i % 2; c = cseal(k[d], b"\0" * 4 + struct.pack("<Q", n[d]), b"", X(mm["payload"])); n[d] += 1
        assert c.hex() == mm["ciphertext"], (v["protocol_name"], i + 2)
want = ["IK", "IKpsk1", "IKpsk2", "KK", "KK1", "KKpsk0", "KKpsk2"]
for i, v in enumerate(json.load(open(sys.argv[1]))["vectors"]):
    if v["protocol_name"] in ["Noise_%s_25519_ChaChaPoly_BLAKE2b" % w for w in want]:
        run(v); print("ok  [%d] %s" % (i, v["protocol_name"]))
