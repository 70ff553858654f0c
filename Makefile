# SPDX-License-Identifier: Apache-2.0
#
# make test    everything that this machine can run; installs what it needs (Debian, root)
# make demo    an embedded example: no root, no systemd, no GPU
# make         the programs, in build/
# make packages   deb and rpm, in dist/

GO             ?= go
BUILD          := build
# Without a repository of our own, such as in a source archive, that of the release.
VERSION        := $(shell test -z "$$(git rev-parse --show-prefix 2>&1)" && git describe --tags --always --dirty 2>/dev/null || sed -n 's/^const Release = "\(.*\)"/\1/p' internal/version/version.go)
LDFLAGS        := -s -w -X justnews/internal/version.described=$(VERSION)
# The linters, in the versions of tools/go.mod.
TOOL           := $(GO) tool -modfile=tools/go.mod
# Installed by 'make test' if they are missing and the machine allows it.
TEST_PACKAGES  := gcc libc6-dev dbus mandoc mmdebstrap systemd-container shellcheck uidmap \
                  lintian rpm rpmlint build-essential debhelper iproute2 checkpolicy strace zsh fish

# NVML's functions are bound when they are first called, after its library is
# loaded: with binding at startup the program would fail in the loader.
LAZY           := -extldflags=-Wl,-z,lazy
CC             := $(shell $(GO) env CC)

export CGO_ENABLED ?= 0
# The same paths in every clone, so that they share the compiler's cache.
export GOFLAGS     ?= -buildvcs=false -trimpath

.PHONY: all build helper packages source test deps unit kubernetes race booted lint vuln demo bench fuzz simulate chaos vm mutate generate screens clean

all: build

build: helper
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BUILD)/ ./cmd/justnews-gate ./cmd/justnews-generator

# The one program that needs a C compiler: it loads NVIDIA's library.
helper:
ifneq ($(shell command -v $(CC)),)
	CGO_ENABLED=1 CGO_CFLAGS='-O2 -g -Wno-deprecated-declarations' $(GO) build -trimpath -buildmode=pie -ldflags '$(LDFLAGS) $(LAZY)' -o $(BUILD)/ ./cmd/justnews-nvml
else
	@echo 'justnews-nvml is skipped: there is no C compiler ($(CC)), so the gate cannot query GPUs'
endif

# deb and rpm of the checked-out tree: the same bytes wherever they are built.
packages:
	rm -f dist/justnews*.deb dist/justnews*.rpm dist/justnews*.spdx.json
	$(GO) run ./packaging/pack -out dist

# The sources from which debian/ and packaging/fedora build, offline.
source:
	mkdir -p dist
	packaging/source.sh dist

test: deps
	test/run.sh

deps:
	test/deps.sh $(TEST_PACKAGES)

unit:
	$(GO) test ./...

# A separate module, so that the product does not depend on Kubernetes' types.
kubernetes:
	$(GO) -C test/kubernetes test ./...

race:
	CGO_ENABLED=1 $(GO) test -race -short -ldflags=$(LAZY) ./...

booted:
	$(GO) test -count=1 ./test/bed/... ./test/booted/...

lint:
	test -z "$$(gofmt -l cmd internal packaging test)" || { gofmt -l cmd internal packaging test; false; }
	$(GO) vet ./...
	$(GO) -C test/kubernetes vet ./...
	$(TOOL) golangci-lint run ./...
	test -z "$$($(TOOL) deadcode -test ./... | tee /dev/stderr)"
	shellcheck $$(git ls-files '*.sh' '*.bash' 'packaging/scripts/*' debian/tests/installed .ci/run)

vuln:
	$(TOOL) govulncheck ./...

demo:
	demo/demo.sh

# The figures in docs/figures.md. QUADLET: podman's quadlet to compare with, a
# binary or a version to build (v5.4.0), if none is installed.
QUADLET ?=
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./internal/...
	$(GO) run ./test/bench/generator $(if $(QUADLET),-quadlet '$(QUADLET)')
	$(GO) run ./test/bench/gate
	$(GO) run ./test/bench/nvml
	$(GO) run ./test/bench/store

# Whole hosts in virtual time. RUNS=1 prints the events of one seed, FAULTS=ac limits its
# faults. STEPS is the length without RUNS.
SEED   ?= 0
RUNS   ?= 0
STEPS  ?= 1000000
FAULTS ?= abcdef
simulate:
	$(GO) test -count=1 -v -timeout 0 ./test/simulate -run HostKeepsRules -seed $(SEED) -runs $(RUNS) -steps $(STEPS) -faults $(FAULTS)

# Faults on a host while it boots and runs: 600 cells (CELLS=0: all), an hour and a half.
# PAIRS=true adds a second fault to each.
CELLS ?= 0
PAIRS ?= false
chaos:
	$(GO) test ./test/booted -run 'TestChaos$$' -v -timeout 3h -cells $(CELLS) -seed $(SEED) -pairs=$(PAIRS)

# Tests that set the clock, in a virtual machine: needs qemu-system-x86, busybox-static,
# kmod and cpio, and a quarter of an hour without KVM.
vm:
	test/vm.sh

# Changes one operator at a time in the code that judges, decides and writes. It fails if
# there are changes that no test detects: examine each.
mutate:
	rc=0; \
	for p in check/gpu check/host check/mps check/orchestrator check/store check/unit gate preflight \
		unitfile status envfile kernelcmdline modelmap requirement strictjson timespan tomlpos; do $(GO) run ./test/mutate ./internal/$$p || rc=1; done; \
	$(GO) run ./test/mutate -tests ./internal/weights,./internal/probe/store ./internal/weights || rc=1; \
	$(GO) run ./test/mutate -tests ./internal/plan,./internal/emit,./cmd/justnews-generator ./internal/plan || rc=1; \
	exit $$rc

FUZZTIME ?= 20s
fuzz:
	test/fuzz.sh $(FUZZTIME)

# Every generated file in the tree: constants of the problem catalogue, JSON Schema,
# pages, expected output. Read the diff. For each file a test fails if it is out of date.
generate:
	$(GO) test ./internal/diag -run Generated -update
	$(GO) test ./internal/diag ./internal/migrate ./internal/config ./internal/emit ./internal/archtest ./internal/report ./internal/timeline ./packaging/contents -update
	$(GO) test ./test/docs ./test/hostile -run Page -update

# The same for docs/screens.md, which shows a booted host and so differs a little
# each time.
screens:
	$(GO) test ./test/booted -run Screens -update

clean:
	rm -rf $(BUILD)
