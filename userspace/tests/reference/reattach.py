# SPDX-License-Identifier: GPL-2.0
"""Executable sketch of the fixed REATTACH exchange (Noise_KK1psk0, server = Noise initiator). Design check, not product code."""
from noise import *
import os, struct, time
NAME = "Noise_KK1psk0_25519_ChaChaPoly_BLAKE2b"
SUITE = b"\x01"
REC, VOL, ATT, TERM = "RECOVERING", "VOLATILE", "ATTACHED", "TERMINATED"
T_REQ, T_CHAL, T_PROOF, T_ACK = 5, 6, 7, 8
hdr = lambda t: bytes([t, 1, 0, 0])
class Rms:                                   # per-session keys, fixed for the session's life
    def __init__(s, rms):
        s.req, s.rej, s.psk = (kdf(rms, i, b"JVPNrms1", 32) for i in (1, 2, 3))
def psk_a(r, sid, nc, ns): return b2(32, b"jvpn psk" + sid + nc + ns, r.psk)
def prologue(sid, nc, ns): return b"JVPN1 reattach" + SUITE + sid + nc + ns
def start(r, sid, nc, ns, S_pub, C_pub, es_pub):
    s = SS(NAME, prologue(sid, nc, ns)); s.mixh(S_pub); s.mixh(C_pub)
    s.mixkh(psk_a(r, sid, nc, ns)); s.mixh(es_pub); s.mixk(es_pub); return s
def ems(s):
    a, b = s.split(); return b2(32, b"JVPN1 ems" + s.h, a + b)
def epoch(E):
    k = lambda i, n: kdf(E, i, b"JVPNep_1", n)
    ix = k(3, 16); return dict(c2s=k(1, 44), s2c=k(2, 44), idx_c2s=ix[:4], idx_s2c=ix[4:8], ctl_c2s=k(4, 32), ctl_s2c=k(5, 32))
def gate_key(r, sid, nc, ns, ec): return b2(32, b"jvpn gate" + ec, psk_a(r, sid, nc, ns))
class Server:
    def __init__(s):
        s.S = os.urandom(32); s.S_pub = pub(s.S); s.tk = os.urandom(32); s.now = 1000; s.kid = 0; s.ring = {}; s.sess = {}; s.rotate(); s.dh = 0; s.sends = []
    def rotate(s): s.kid = (s.kid + 1) & 255; es = os.urandom(32); s.ring[s.kid] = (os.urandom(32), es, pub(es)); s.ring = dict(list(s.ring.items())[-3:])
    def ticket(s, sid):
        n = os.urandom(24); return b"\x01" + n + xseal(s.tk, n, b"\x01jvpn-tkt", sid + struct.pack("<I", s.now + 86400) + b"\0" * 3)
    def open_ticket(s, t):
        p = xopen(s.tk, t[1:25], b"\x01jvpn-tkt", t[25:]); assert struct.unpack("<I", p[16:20])[0] > s.now; return p[:16]
    def new(s, C_pub):
        sid = os.urandom(16); rms = os.urandom(32)
        s.sess[sid] = dict(V=1, E=0, state=ATT, C=C_pub, r=Rms(rms), bound=None, last=None, epoch=None, log=[], installs=0); return sid, rms
    def step(s, x, new): assert x["state"] != TERM; x["V"] += 1; x["log"].append((x["V"], x["state"], new)); x["state"] = new
    def cookie(s, kid, exp, addr, sid, nc, ns, h1): return bytes([kid]) + struct.pack("<I", exp) + b"\0" * 3 + b2(16, b"jvpn cookie" + bytes([kid]) + struct.pack("<I", exp) + addr.encode().ljust(40, b"\0") + sid + nc + ns + h1, s.ring[kid][0])
    def challenge(s, sid, addr, nc, flags, ttl=5):
        x = s.sess[sid]; ns = os.urandom(16); kid = s.kid; _, _, esp = s.ring[kid]
        st = start(x["r"], sid, nc, ns, s.S_pub, x["C"], esp)
        pay = struct.pack("<QIBBH", x["V"], x["E"], [REC, VOL, ATT, TERM].index(x["state"]), flags, 0) + addr.encode().ljust(19, b"\0") + b"\0" * 5 + s.ticket(sid)
        ct = st.enc(pay); ck = s.cookie(kid, s.now + ttl, addr, sid, nc, ns, st.h)
        m = hdr(T_CHAL) + nc + ns + ck + esp + ct; return m
    def rx(s, m, addr):
        """returns list of (addr, datagram); never mutates except at the commit block"""
        if m[0] == T_REQ:
            sid = s.open_ticket(m[4:68]); x = s.sess[sid]; nc = m[68:92]
            p = xopen(x["r"].req, nc, m[:68], m[92:192])
            if struct.unpack("<Q", p[4:12])[0] > x["V"]: return []              # rollback: linearizable re-read, else REJECT
            r = s.challenge(sid, addr, nc, 0, 30 if p[0] & 1 else 5); assert len(r) <= len(m); return [(addr, r)]
        if m[0] == T_PROOF:
            sid = s.open_ticket(m[4:68]); x = s.sess[sid]; nc, ns, ck, h1, ec = m[68:92], m[92:108], m[108:132], m[132:196], m[196:228]
            gate, nct = m[228:260], m[260:308]; kid = ck[0]
            pv, pe = struct.unpack("<QI", copen(gate_key(x["r"], sid, nc, ns, ec), b"\0" * 12, m[:228], gate)[:12])   # cheap gate, before any DH
            if x["last"] and x["last"][0] == b2(16, m):                        # exact duplicate of the last commit
                return [(addr, s.ack(sid))] if addr == x["last"][1] else []
            exp = struct.unpack("<I", ck[1:5])[0]
            if kid not in s.ring or exp < s.now or s.cookie(kid, exp, addr, sid, nc, ns, h1) != ck or (pv, pe) != (x["V"], x["E"]):
                r = s.challenge(sid, addr, nc, 1); assert len(r) <= len(m); return [(addr, r)]
            _, es, esp = s.ring[kid]
            st = start(x["r"], sid, nc, ns, s.S_pub, x["C"], esp); st.h = h1; st.n = 1        # rehydrate Noise state after msg1
            st.mixh(ec); st.mixk(ec); s.dh += 3
            st.mixk(dh(es, ec)); st.mixk(dh(s.S, ec)); st.mixk(dh(es, x["C"]))                # e, ee, se, es
            V, E = struct.unpack("<QI", st.dec(nct)[:12])
            # ---- commit point: one CAS ----
            if V != x["V"] or E != x["E"] or x["state"] == TERM: return []
            if x["state"] == ATT and addr == x["bound"]: pass                 # REFRESH: no transition
            else:
                if x["state"] != REC: s.step(x, REC)
                s.step(x, ATT)
            x["E"] += 1; x["bound"] = addr; x["epoch"] = epoch(ems(st)); x["installs"] += 1; x["last"] = (b2(16, m), addr, x["V"], x["E"])
            return [(addr, s.ack(sid))]
    def ack(s, sid):
        x = s.sess[sid]; n = os.urandom(24); _, _, Vn, En = x["last"]
        return hdr(T_ACK) + n + xseal(x["epoch"]["ctl_s2c"], n, hdr(T_ACK), struct.pack("<QQI", Vn, x["V"], En) + b"\0" * 12 + s.ticket(sid))
class Client:
    def __init__(s, sid, rms, C, S_pub, tkt):
        s.sid, s.r, s.C, s.C_pub, s.S_pub, s.tk = sid, Rms(rms), C, pub(C), S_pub, [tkt]; s.V = 1; s.pend = {}; s.cur = None; s.att = {}; s.cm = (0, 0)
    def request(s, path, standby=False):
        nc = os.urandom(24); t = s.tk.pop(); s.att[nc] = (path, t)
        h = hdr(T_REQ) + t
        m = h + nc + xseal(s.r.req, nc, h, bytes([standby]) + b"\0" * 3 + struct.pack("<Q", s.V) + b"\0" * 72); m += b"\0" * 32   # mac1|mac2
        assert len(m) == 224; return m
    def on_challenge(s, m, V=None):
        nc, ns, ck, esp, ct = m[4:28], m[28:44], m[44:68], m[68:100], m[100:]
        path, t = s.att[nc]; st = start(s.r, s.sid, nc, ns, s.S_pub, s.C_pub, esp); p = st.dec(ct)
        v, e = struct.unpack("<QI", p[:12]); assert v >= s.V, "rollback"; s.V = v; s.tk.append(p[40:104]); h1 = st.h
        e_c = os.urandom(32); ec = pub(e_c); st.mixh(ec); st.mixk(ec)
        st.mixk(dh(e_c, esp)); st.mixk(dh(e_c, s.S_pub)); st.mixk(dh(s.C, esp))
        vb = struct.pack("<QI", v if V is None else V, e)
        head = hdr(T_PROOF) + t + nc + ns + ck + h1 + ec
        m = head + cseal(gate_key(s.r, s.sid, nc, ns, ec), b"\0" * 12, head, vb + b"\0" * 4) + st.enc(vb + b"\0" * 20)
        s.pend[m] = epoch(ems(st)); return path, m
    def on_ack(s, m):
        for pm, ep in s.pend.items():
            try: p = xopen(ep["ctl_s2c"], m[4:28], m[:4], m[28:])
            except ValueError: continue
            vn, vc, en = struct.unpack("<QQI", p[:20]); s.V = max(s.V, vc); s.tk.append(p[32:96])
            if (vn, en) > s.cm: s.cm = (vn, en); s.cur = ep                     # install once, never backwards: (V_new,E_new) lexicographic
            return vn, vc
        raise ValueError("no attempt")
if __name__ == "__main__":
    S = Server(); C = os.urandom(32); sid, rms = S.new(pub(C)); x = S.sess[sid]; x["bound"] = "A"; c = Client(sid, rms, C, S.S_pub, S.ticket(sid)); c.tk.append(S.ticket(sid))
    q = c.request("A"); [(a, ch)] = S.rx(q, "A"); _, pf = c.on_challenge(ch); [(a, ak)] = S.rx(pf, "A"); print("sizes", dict(REQ=len(q), CHAL=len(ch), PROOF=len(pf), ACK=len(ak)))
    assert c.on_ack(ak) == (1, 1) and x["E"] == 1 and c.cur == x["epoch"]; print("refresh from bound address: V unchanged, E=1")
    # jump, server still ATTACHED: two explicit steps; ACK lost; retransmitted PROOF answered idempotently
    ch = S.rx(c.request("B"), "B")[0][1]; _, pf = c.on_challenge(ch); S.rx(pf, "B"); V = x["V"]; assert V == 3 and x["installs"] == 2
    assert S.rx(pf, "X") == [] ; ak = S.rx(pf, "B")[0][1]; assert x["V"] == V and x["installs"] == 2; assert c.on_ack(ak) == (3, 3) and c.cur == x["epoch"]; print("lost ACK healed by same PROOF; replay from X silent; V", x["log"])
    # lost ACK and abandon the path: new attempt elsewhere simply works (no ratchet to lose)
    ch = S.rx(c.request("C1"), "C1")[0][1]; _, pf1 = c.on_challenge(ch); S.rx(pf1, "C1")
    ch = S.rx(c.request("D"), "D")[0][1]; _, pf2 = c.on_challenge(ch); c.on_ack(S.rx(pf2, "D")[0][1]); assert c.cur == x["epoch"] and x["bound"] == "D"; print("abandoned commit healed, V", x["V"])
    d = S.dh; r = S.rx(pf1, "C1"); assert r[0][1][0] == T_CHAL and S.dh == d and x["bound"] == "D"; print("old PROOF replay: fresh CHALLENGE, no DH, no mutation")
    # race of two PROOFs, same V
    ca = S.rx(c.request("P"), "P")[0][1]; cb = S.rx(c.request("Q"), "Q")[0][1]; _, pa = c.on_challenge(ca); _, pb = c.on_challenge(cb); V = x["V"]
    S.rx(pa, "P"); r = S.rx(pb, "Q"); assert r[0][1][0] == T_CHAL and x["bound"] == "P" and x["V"] == V + 2; print("race: one commits, other gets fresh CHALLENGE(STALE)")
    _, pb2 = c.on_challenge(r[0][1]); c.on_ack(S.rx(pb2, "Q")[0][1]); assert x["bound"] == "Q" and c.cur == x["epoch"]; print("latest intent wins after 1 RTT")
    # cookie swap
    ca = S.rx(c.request("P"), "P")[0][1]; _, pa = c.on_challenge(ca); d = S.dh; r = S.rx(pa, "Z"); assert r[0][1][0] == T_CHAL and S.dh == d; print("cookie swap refused before DH")
    # server notices first between CHALLENGE and PROOF
    S.step(x, VOL); r = S.rx(pa, "P"); _, pa = c.on_challenge(r[0][1]); S.step(x, REC); r = S.rx(pa, "P"); _, pa = c.on_challenge(r[0][1]); c.on_ack(S.rx(pa, "P")[0][1]); assert c.cur == x["epoch"]; print("timer races: at most 2 STALE rounds", x["log"][-3:])
    # server restart: ring lost
    ca = S.rx(c.request("P"), "P")[0][1]; _, pa = c.on_challenge(ca); S.ring = {}; S.rotate(); r = S.rx(pa, "P"); assert r[0][1][0] == T_CHAL; print("restart: old PROOF only yields CHALLENGE")
    # warm standby: pre-fetched CHALLENGE; client pre-builds PROOFs for V, V+1, V+2 (each with its own e_c); at most one commits
    ch = S.rx(c.request("W", standby=True), "W")[0][1]; V = x["V"]; inst = x["installs"]
    tk = list(c.tk); pv = [c.on_challenge(ch, V=V + i)[1] for i in range(3)]
    r = [S.rx(p, "W") for p in pv]; assert x["installs"] == inst + 1 and x["V"] == V + 2 and x["bound"] == "W"
    assert r[0][0][1][0] == T_ACK and r[2][0][1][0] == T_CHAL; c.on_ack(r[0][0][1]); assert c.cur == x["epoch"]
    print("multi-PROOF: V+2 variant is refused after the V variant committed only because E_req is compared too")
    # reordered ACKs
    ca = S.rx(c.request("P"), "P")[0][1]; _, pa = c.on_challenge(ca); aa = S.rx(pa, "P")[0][1]
    cb = S.rx(c.request("Q"), "Q")[0][1]; _, pb = c.on_challenge(cb); ab = S.rx(pb, "Q")[0][1]
    c.on_ack(ab); c.on_ack(aa); assert c.cur == x["epoch"]; print("late ACK of the older commit does not roll the client back")
    print("log versions strictly +1:", all(b[0] == a[0] + 1 for a, b in zip(x["log"], x["log"][1:])))
