# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What holds in the symbolic models, what is expected to fail, and the mistakes that must be found.
# Sourced by maude.sh.

maude_property handshake c-secret "the adversary has no key of a client's session with an honest gateway"
maude_property handshake g-secret "the adversary has no key of a gateway's session with an honest client"
maude_property handshake c-agrees "the gateway has the session that a client has, down to every value"
maude_property handshake g-agrees "the client has the session that a gateway has, down to every value"
maude_property handshake c-once "one session of a client for one run of the gateway"
maude_property handshake g-once "one session of a gateway for one run of the client"
maude_property handshake same-key "one key, one belief about whose it is: no unknown key share"
maude_property handshake init-once "one INIT of a client is answered once"

all="c-secret g-secret c-agrees g-agrees c-once g-once same-key"
maude_variant handshake "without a psk" "" "$all init-once" ""
maude_variant handshake "with a psk" "psk" "$all init-once" ""
maude_variant handshake "all static keys leak later" "leak-later one-stamp" "c-secret g-secret" ""
maude_variant handshake "all static keys and psks leak later" "psk leak-later one-stamp" "c-secret g-secret" ""
maude_variant handshake "clients' static keys leaked, 2 clients, 1 gateway" \
	"leak-clients one-stamp one-gateway" "c-secret c-agrees c-once same-key" "g-secret g-agrees"
maude_variant handshake "clients' static keys leaked, 1 client, 2 gateways" \
	"leak-clients one-stamp one-client" "c-secret c-agrees c-once same-key" "g-secret g-agrees"
maude_variant handshake "gateways' static keys leaked, 2 clients, 1 gateway" \
	"leak-gateways one-stamp one-gateway" "g-secret g-agrees g-once same-key" "c-secret c-agrees"
maude_variant handshake "gateways' static keys leaked, 1 client, 2 gateways" \
	"leak-gateways one-stamp one-client" "g-secret g-agrees g-once same-key" "c-secret c-agrees"
maude_variant handshake "all static keys leaked, no psk" \
	"leak-clients leak-gateways one-stamp one-gateway one-client" "" "c-secret g-secret c-agrees g-agrees"
maude_variant handshake "all static keys leaked, with a psk" \
	"psk leak-clients leak-gateways one-stamp one-gateway" "$all" ""
maude_variant handshake "all of Diffie-Hellman broken, with a psk" \
	"psk leak-all-dh one-stamp one-gateway" "$all" ""

maude_mutant handshake c-secret "no-es no-ss" "the gateway's static key is in no DH"
maude_mutant handshake c-secret "leak-later one-stamp no-ee" "ee is missing and all keys leak later"
maude_mutant handshake c-secret "leak-clients one-stamp no-es" "es is missing and the client's key leaked"
maude_mutant handshake c-secret "psk leak-clients leak-gateways one-stamp no-psk" \
	"the psk is not mixed in and the static keys leaked"
maude_mutant handshake g-secret "no-ss no-se" "the client's static key is in no DH"
maude_mutant handshake g-secret "leak-later one-stamp no-ee" "ee is missing and all keys leak later"
maude_mutant handshake g-secret "leak-gateways one-stamp no-se" "se is missing and the gateway's key leaked"
maude_mutant handshake c-agrees "leak-clients one-stamp no-es" "es is missing and the client's key leaked"
maude_mutant handshake c-agrees "clear-sid no-h" "RESP's payload is in no transcript"
maude_mutant handshake g-agrees "leak-gateways one-stamp no-se" "se is missing and the gateway's key leaked"
maude_mutant handshake g-agrees "no-confirmation" "INIT alone makes a session"
maude_mutant handshake c-once "same-client-e one-stamp" "a client's ephemeral key serves two runs"
maude_mutant handshake g-once "same-gateway-e no-timestamp" \
	"a gateway's random numbers come twice and INIT may be a replay"
maude_mutant handshake same-key "clear-s no-ss no-se" "the client is named, but not bound to the keys"
maude_mutant handshake same-key "unnamed-gateway no-es no-ss" "the gateway is not bound to the keys"
maude_mutant handshake same-key "clear-sid no-h" "RESP's payload is in no transcript"
maude_mutant handshake init-once "no-timestamp" "the timestamp is not checked"

maude_property reattach c-secret "the adversary has no key of an epoch that a client has sent PROOF for"
maude_property reattach c-secret-acked "the same, once the client has ACK"
maude_property reattach g-secret "the adversary has no key of an epoch that a gateway has committed"
maude_property reattach c-agrees "the gateway has made the commit that ACK tells a client of, down to every value"
maude_property reattach g-agrees "the client has made the PROOF that a gateway commits, down to every value"
maude_property reattach c-once "one attempt of a client for one commit"
maude_property reattach g-once "one commit for one PROOF"
maude_property reattach one-swap "one commit for one (V, E) of a session"
maude_property reattach same-key "one key, one belief about whose it is: no unknown key share"
maude_property reattach address-valid "bound and acknowledged is only an address to which this CHALLENGE went"
maude_property reattach gate "no DH but for what the client made"
maude_property reattach nonce "no key seals two texts"

all="c-secret c-secret-acked g-secret c-agrees g-agrees c-once g-once one-swap same-key address-valid"
maude_variant reattach "two attempts of a session" "" "$all gate nonce" ""
maude_variant reattach "one attempt proves twice" "again" "$all gate nonce" ""
maude_variant reattach "two clients" "other-client" "$all gate nonce" ""
maude_variant reattach "the client has a session with a malicious gateway too" \
	"bad-gateway one-commit" "$all gate nonce" ""
maude_variant reattach "all static keys leaked, RMS not" "leak-client leak-gateway" "$all gate nonce" ""
maude_variant reattach "RMS leaked, 2 challenges" "leak-rms one-attempt one-commit" "$all" "gate"
maude_variant reattach "RMS leaked, 2 attempts" "leak-rms one-challenge one-commit" "$all" "gate"
maude_variant reattach "RMS and clients' static keys leaked" "leak-rms leak-client one-attempt one-commit" \
	"c-secret c-agrees c-once same-key address-valid" "g-secret g-agrees"
maude_variant reattach "RMS and the gateway's static key leaked" \
	"leak-rms leak-gateway one-attempt one-commit" "g-secret g-agrees g-once same-key address-valid" "c-secret c-agrees"
maude_variant reattach "all long-term secrets leak later" "leak-later" "c-secret c-secret-acked g-secret" ""
maude_variant reattach "RMS leaked, the rest leaks later" \
	"leak-rms leak-later one-attempt one-challenge one-commit" "c-secret-acked g-secret" "c-secret"
maude_variant reattach "the challenge ring leaked" "leak-ring one-attempt one-commit" \
	"c-secret g-secret c-agrees g-agrees c-once g-once same-key gate" "address-valid"
maude_variant reattach "the challenge ring and RMS leaked" \
	"leak-ring leak-rms one-attempt one-challenge one-commit" "c-secret c-agrees c-once" \
	"g-secret g-agrees address-valid"
maude_possible reattach "complete-twice" "both attempts of a session can commit, one after the other"

small="one-attempt one-challenge one-commit"
maude_mutant reattach c-secret "leak-rms no-se $small" "se is missing and RMS leaked"
maude_mutant reattach c-secret "leak-later no-ee" "ee is missing and all secrets leak later"
maude_mutant reattach c-secret-acked "leak-rms leak-later no-ee $small" "ee is missing and all secrets leak"
maude_mutant reattach g-secret "leak-rms no-es $small" "es is missing and RMS leaked"
maude_mutant reattach g-secret "leak-later no-ee" "ee is missing and all secrets leak later"
maude_mutant reattach g-secret "leak-client leak-gateway no-psk no-gate $small" \
	"RMS is not mixed in and the static keys leaked"
maude_mutant reattach c-agrees "leak-rms no-se $small" "se is missing and RMS leaked"
maude_mutant reattach g-agrees "leak-rms no-es $small" "es is missing and RMS leaked"
maude_mutant reattach g-agrees "leak-rms no-h $small" "no transcript is bound and RMS leaked"
maude_mutant reattach c-once "same-client-e again" "a client's ephemeral key serves two PROOFs"
maude_mutant reattach g-once "no-epoch no-last" "neither E nor the last PROOF is looked at"
maude_mutant reattach one-swap "no-epoch" "the swap does not compare E"
maude_mutant reattach same-key "no-psk no-es no-h" "the client is not bound to the keys"
maude_mutant reattach same-key "leak-rms no-h $small" "no transcript is bound and RMS leaked"
maude_mutant reattach address-valid "cookie-no-address" "the cookie does not cover the address"
maude_mutant reattach address-valid "cookie-no-session" "the cookie does not cover session and nonces"
maude_mutant reattach address-valid "cookie-of-client" "clients can make cookies"
maude_mutant reattach address-valid "leak-rms cookie-no-h1 $small" \
	"the cookie does not cover h1 and RMS leaked"
maude_mutant reattach address-valid "last-anywhere" "a repeated PROOF is answered wherever it comes from"
maude_mutant reattach gate "no-gate" "there is no gate"
maude_mutant reattach nonce "psk-constant" "the psk is the same for all CHALLENGEs"
