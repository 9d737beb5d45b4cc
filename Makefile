# SPDX-License-Identifier: GPL-2.0
#
# jvpn: a VPN whose sessions outlive their transport. "make help" lists the targets.

# The kernel that the module is built for: its headers or prepared tree. K=NAME takes a kernel of
# the test lanes instead (tools/kernels/get --list).
KDIR ?=
K ?=

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=
UNIT_DIR = $(DESTDIR)$(PREFIX)/lib/systemd/system

# Which machine tests, demo and bench run on: auto, host, kvm, tcg, uml.
LANE ?= auto
export LANE

# make check TESTS="name..." runs only these.
TESTS ?=
CHOSEN := $(or $(TESTS),--functions)
# Where time is what is claimed, a machine that is not emulated.
LANE_NATIVE := LANE=$(LANE:auto=native)

# make volatility: a profile of tools/volatility/profiles or a file; the rest is the profile's own
# unless it is given.
PROFILE ?= train
DURATION ?=
POLICY ?=
SEED ?=

# make check-mutants MUTANTS="name..." runs only these; CHANGED=COMMIT those of what has changed since.
MUTANTS ?=
CHANGED ?=

# make soak: seconds on each kernel, and what is drawn: any seed, if none is given.
SOAK_SECONDS ?= 3600
SOAK_SEED ?=

# make scenarios SCENARIOS="paths hosts..." runs only these.
SCENARIOS ?=

SHELL := /bin/bash
MODULE_FOR := $(if $(K),--kernel $(K),$(if $(KDIR),--kdir $(KDIR),--running))
KBUILD_VARIABLES := $(foreach v,W C V,$(if $($(v)),$(v)=$($(v))))
RUN_SUITE := tools/run-guest --name check --tally --timeout 3000
# Where the kernel is given, LANE can only say how a stock one is run.
LANE_STOCK := LANE=$(or $(filter kvm tcg,$(LANE)),auto)

.PHONY: all modules userspace selftests install install-module install-programs uninstall clean \
	check unit suite behaviour check-kernels check-debug check-mutants soak scenarios check-long lint fuzz model \
	demo volatility bench help

all: userspace modules ## the programs, and the module for the running kernel (or KDIR=, K=)

modules: ## the module; W=1 and C=1 for more warnings
	@tools/deps.sh build
	@tools/build-module $(MODULE_FOR) $(KBUILD_VARIABLES)

userspace: ## jvpnd and jvpnctl, in build/bin
	@tools/deps.sh build
	@$(MAKE) --no-print-directory -C userspace

selftests: userspace
	@$(MAKE) --no-print-directory -C selftests

check: ## the unit tests, the suite on a stock kernel (or LANE=), and the tests of behaviour
	@tools/suites "$(MAKE) -s unit" "$(MAKE) -s suite" $(if $(TESTS),,"$(MAKE) -s behaviour")

unit: userspace ## the unit tests alone
	@$(MAKE) --no-print-directory -C userspace check

suite: userspace selftests ## the suite alone
	@$(RUN_SUITE) -- selftests/run $(CHOSEN)

behaviour: userspace selftests ## what sessions do on bad networks, in time (LANE=)
	@$(LANE_NATIVE) $(RUN_SUITE) --timeout 5400 -- selftests/run --behaviour

check-kernels: userspace selftests ## the suite on the newer kernels
	@tools/suites "$(LANE_STOCK) $(RUN_SUITE) --kernel 6.12 -- selftests/run $(CHOSEN)" \
		"LANE=uml $(RUN_SUITE) --kernel uml -- selftests/run $(CHOSEN)"

check-debug: userspace selftests ## the suite on kernels that look for memory, locking and lifetime errors
	@tools/suites "LANE=uml $(RUN_SUITE) --kernel uml-kasan --timeout 7200 -- selftests/run $(CHOSEN)" \
		"LANE=uml $(RUN_SUITE) --kernel uml-lockdep --timeout 7200 -- selftests/run $(CHOSEN)"

lint: ## the module against W=1, sparse and checkpatch; generated files against their source
	@tools/lint $(K)

scenarios: userspace selftests ## what becomes of sessions on bad networks; report in build/scenarios
	@tools/deps.sh guest
	@tools/scenarios/scenarios $(SCENARIOS)

check-long: userspace ## hours: every profile of an unsteady network, DURATION= each (1h)
	@$(LANE_NATIVE) tools/scenarios/long $(or $(DURATION),1h)

check-mutants: userspace selftests ## delete one security check after the other: a test must notice; MUTANTS= CHANGED=
	@selftests/mutants/run $(if $(CHANGED),--changed $(CHANGED)) $(MUTANTS)

soak: userspace selftests ## everything at once at random, on kernels that look for errors; SOAK_SECONDS= each (3600), SOAK_SEED=
	@tools/suites $(foreach k,uml-kasan uml-lockdep,"LANE=uml $(RUN_SUITE) --kernel $(k) --timeout $$(($(SOAK_SECONDS) + 900)) \
		--env SOAK_SECONDS=$(SOAK_SECONDS) --env SOAK_SEED=$(SOAK_SEED) --env JVPN_LIMIT=$(SOAK_SECONDS) -- selftests/run soak")

fuzz: ## libFuzzer on what reads octets from outside; TIME= seconds each (60)
	@tools/deps.sh build fuzz
	@$(MAKE) --no-print-directory -C userspace fuzz

model: ## the protocol and its state machine proved on models; minutes, no guest
	@tools/model/run

demo: userspace ## a real download that survives three changes of transport; report in build/demo
	@tools/deps.sh demo
	@tools/demo/demo

volatility: userspace ## a session on an unsteady network; PROFILE= DURATION= POLICY= SEED=; report in build/volatility
	@tools/deps.sh volatility
	@$(LANE_NATIVE) tools/volatility/volatility --profile "$(PROFILE)" --duration "$(DURATION)" --policy "$(POLICY)" --seed "$(SEED)"

bench: userspace ## jvpn against WireGuard; report in build/bench
	@tools/deps.sh bench
	@tools/bench/bench

install: install-programs install-module ## everything; DESTDIR=, PREFIX=, KDIR=

install-programs: userspace
	install -D -m 755 build/bin/jvpnd $(DESTDIR)$(PREFIX)/sbin/jvpnd
	install -D -m 755 build/bin/jvpnctl $(DESTDIR)$(PREFIX)/bin/jvpnctl
	@set -e; for page in userspace/man/*.[1-8]; do \
		install -D -v -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; \
	done
	@set -e; mkdir -p $(UNIT_DIR); for unit in userspace/systemd/*.service; do \
		echo "$$unit -> $(UNIT_DIR)"; \
		sed 's|/usr/\(s\?bin/jvpn\)|$(PREFIX)/\1|; s|/etc/jvpn|$(SYSCONFDIR)/jvpn|' $$unit \
			> $(UNIT_DIR)/$${unit##*/}; \
	done
	install -D -m 644 userspace/jvpnctl/completion/jvpnctl.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/jvpnctl
	install -D -m 644 userspace/systemd/jvpn.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/jvpn.conf
	@mkdir -p $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	sed 's|/etc/jvpn|$(SYSCONFDIR)/jvpn|' userspace/systemd/jvpn.tmpfiles \
		> $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/jvpn.conf
	install -D -m 644 userspace/systemd/jvpn.logrotate $(DESTDIR)$(SYSCONFDIR)/logrotate.d/jvpn
	install -d -m 750 $(DESTDIR)$(SYSCONFDIR)/jvpn
	@[ -n "$(DESTDIR)" ] || ! command -v systemd-sysusers > /dev/null || \
		{ systemd-sysusers $(PREFIX)/lib/sysusers.d/jvpn.conf && \
		systemd-tmpfiles --create $(PREFIX)/lib/tmpfiles.d/jvpn.conf; }
	@set -e; for sample in Documentation/examples/*.yaml; do \
		install -v -m 644 $$sample $(DESTDIR)$(SYSCONFDIR)/jvpn/$${sample##*/}.sample; \
	done

# Only for a kernel that loads modules, so never for the guests' by accident.
install-module:
	@set -e; ko=$$(tools/build-module --kdir $(or $(KDIR),/lib/modules/$$(uname -r)/build)); \
	release=$$(modinfo -F vermagic $$ko | cut -d ' ' -f 1); \
	install -D -v -m 644 $$ko $(DESTDIR)/lib/modules/$$release/updates/jvpn.ko; \
	[ -n "$(DESTDIR)" ] || depmod -a $$release

uninstall: ## what install put there; configuration stays
	rm -f $(DESTDIR)$(PREFIX)/sbin/jvpnd $(DESTDIR)$(PREFIX)/bin/jvpnctl \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/jvpnctl
	@set -e; for page in userspace/man/*.[1-8]; do \
		rm -fv $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done
	@set -e; for unit in userspace/systemd/*.service; do rm -fv $(UNIT_DIR)/$${unit##*/}; done
	rm -f $(DESTDIR)$(PREFIX)/lib/sysusers.d/jvpn.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/jvpn.conf
	rm -f $(DESTDIR)$(SYSCONFDIR)/logrotate.d/jvpn $(DESTDIR)$(SYSCONFDIR)/jvpn/*.sample
	rm -f $(DESTDIR)/lib/modules/*/updates/jvpn.ko
	[ -n "$(DESTDIR)" ] || depmod -a

clean: ## all that was built here; the kernels in ~/.cache/jvpn stay
	rm -rf build

help: ## this list
	@awk -F ':|## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$NF }' $(MAKEFILE_LIST)
