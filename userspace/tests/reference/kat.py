# SPDX-License-Identifier: GPL-2.0
"""Known-answer vector for Noise_KK1psk0_25519_ChaChaPoly_BLAKE2b (no published vector exists), cacophony-like JSON, self-consistent both sides."""
import json
from noise import *
N="Noise_KK1psk0_25519_ChaChaPoly_BLAKE2b"; B=lambda i: bytes((i*16+j)&255 for j in range(32))
iS,rS,iE,rE,psk=B(1),B(2),B(3),B(4),B(5); pro=b"JVPN1 kat"; pay=[b"challenge",b"proof",b"data0",b"data1"]
def go(side):
    s=SS(N,pro); s.mixh(pub(iS)); s.mixh(pub(rS)); s.mixkh(psk); e=pub(iE); s.mixh(e); s.mixk(e); m1=e+s.enc(pay[0])
    e=pub(rE); s.mixh(e); s.mixk(e)
    if side=="i": d=[dh(iE,e),dh(iS,e),dh(iE,pub(rS))]
    else: d=[dh(rE,pub(iE)),dh(rE,pub(iS)),dh(rS,pub(iE))]
    for x in d: s.mixk(x)
    m2=e+s.enc(pay[1]); k=s.split(); n=b"\0"*12
    return m1,m2,s.h,cseal(k[0],n,b"",pay[2]),cseal(k[1],n,b"",pay[3])
a,b=go("i"),go("r"); assert a==b
print(json.dumps(dict(protocol_name=N,init_prologue=pro.hex(),resp_prologue=pro.hex(),init_static=iS.hex(),init_ephemeral=iE.hex(),init_remote_static=pub(rS).hex(),init_psks=[psk.hex()],resp_static=rS.hex(),resp_ephemeral=rE.hex(),resp_remote_static=pub(iS).hex(),resp_psks=[psk.hex()],handshake_hash=a[2].hex(),messages=[dict(payload=p.hex(),ciphertext=c.hex()) for p,c in zip(pay,(a[0],a[1],a[3],a[4]))]),indent=1))
