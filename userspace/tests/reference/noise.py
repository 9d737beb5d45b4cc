# SPDX-License-Identifier: GPL-2.0
"""Minimal Noise SymmetricState on libsodium primitives (ctypes). Reference only."""
import ctypes, ctypes.util, os, struct
L = ctypes.CDLL("libsodium.so.23"); assert L.sodium_init() >= 0
u64 = ctypes.c_ulonglong
def b2(out, data, key=b""):
    o = ctypes.create_string_buffer(out)
    assert L.crypto_generichash(o, ctypes.c_size_t(out), data, u64(len(data)), key or None, ctypes.c_size_t(len(key))) == 0
    return o.raw
H = lambda d: b2(64, d)
def hmac(k, d):                      # HMAC-BLAKE2b (RFC 2104), block 128 -- NOT keyed BLAKE2b
    if len(k) > 128: k = H(k)
    k = k.ljust(128, b"\0")
    return H(bytes(x ^ 0x5c for x in k) + H(bytes(x ^ 0x36 for x in k) + d))
def hkdf(ck, ikm, n):
    t = hmac(ck, ikm); out = []; p = b""
    for i in range(1, n + 1):
        p = hmac(t, p + bytes([i])); out.append(p)
    return out
def kdf(key, i, ctx, n):             # crypto_kdf_derive_from_key
    o = ctypes.create_string_buffer(n)
    assert len(ctx) == 8 and len(key) == 32
    assert L.crypto_kdf_derive_from_key(o, ctypes.c_size_t(n), ctypes.c_uint64(i), ctx, key) == 0
    return o.raw
def dh(sk, pk):
    o = ctypes.create_string_buffer(32)
    if L.crypto_scalarmult(o, sk, pk) != 0: raise ValueError("small order")
    return o.raw
def pub(sk):
    o = ctypes.create_string_buffer(32); L.crypto_scalarmult_base(o, sk); return o.raw
def _aead(fn_e, fn_d):
    def seal(k, n, ad, m):
        o = ctypes.create_string_buffer(len(m) + 16); l = u64()
        getattr(L, fn_e)(o, ctypes.byref(l), m, u64(len(m)), ad, u64(len(ad)), None, n, k); return o.raw
    def open_(k, n, ad, c):
        if len(c) < 16: raise ValueError("short")
        o = ctypes.create_string_buffer(max(1, len(c) - 16)); l = u64()
        if getattr(L, fn_d)(o, ctypes.byref(l), None, c, u64(len(c)), ad, u64(len(ad)), n, k) != 0: raise ValueError("auth")
        return o.raw[:len(c) - 16]
    return seal, open_
xseal, xopen = _aead("crypto_aead_xchacha20poly1305_ietf_encrypt", "crypto_aead_xchacha20poly1305_ietf_decrypt")
cseal, copen = _aead("crypto_aead_chacha20poly1305_ietf_encrypt", "crypto_aead_chacha20poly1305_ietf_decrypt")
class SS:
    def __init__(s, name, prologue):
        n = name.encode(); s.h = n.ljust(64, b"\0") if len(n) <= 64 else H(n); s.ck = s.h; s.k = None; s.n = 0
        s.mixh(prologue)
    def mixh(s, d): s.h = H(s.h + d)
    def mixk(s, ikm): s.ck, k = hkdf(s.ck, ikm, 2); s.k = k[:32]; s.n = 0
    def mixkh(s, ikm): s.ck, t, k = hkdf(s.ck, ikm, 3); s.mixh(t); s.k = k[:32]; s.n = 0
    def _nn(s): n = b"\0" * 4 + struct.pack("<Q", s.n); s.n += 1; return n
    def enc(s, m):
        c = m if s.k is None else cseal(s.k, s._nn(), s.h, m); s.mixh(c); return c
    def dec(s, c):
        m = c if s.k is None else copen(s.k, s._nn(), s.h, c); s.mixh(c); return m
    def split(s): a, b = hkdf(s.ck, b"", 2); return a[:32], b[:32]
