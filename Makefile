# What people type here:
#
#   make build    bin/ossa
#   make check    the quick look before a commit: format, vet, lint, layers, tests
#   make test     everything, official clients and crashes included
#   make crash    kill -9 loop (ROUNDS=200 SEED=1)
#   make chaos    uploads over a network that fails, with client and server killed (ROUNDS=1000 SEED=1)
#   make real     jobs of real life, as test/real has them
#   make bench    benchmarks beside the code (BENCH=regexp COUNT=6)
#   make memory   memory of the server, idle and under eight parts of 1 GiB; and of ls -r, du and rm -r over 2,000,000 keys
#   make transfer memory and rates of ossa cp, next to the Go SDKs
#   make docs     docs/operations.md from the operation table, docs/commands.md from the help
#
# Nothing needs to be set up first but Go, a C compiler (for the race detector),
# Python with venv, and Node; each step fetches its own pinned packages.

GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
OSSA        := bin/ossa

# Where goroutines meet. The race detector costs a factor of ten, so it looks
# at these only.
RACE := ./oss/... ./internal/doctor/... ./internal/transfer/... ./internal/iam/... ./internal/admin/... ./internal/kv/... ./internal/blob/... ./internal/store/... ./internal/server/... ./internal/engine/...

# Fuzz targets run for as long as this when FUZZ is asked for; their seeds run
# in every test.
FUZZTIME ?= 20s

ROUNDS       ?= 200
SEED         ?=
CRASH_ROUNDS ?= 20
CHAOS_ROUNDS ?= 25
BENCH        ?= .
COUNT        ?= 6

.PHONY: build check test format vet lint layers unit race portable crash crash-short chaos chaos-short compat real bench memory transfer fuzz docs clean

build:
	CGO_ENABLED=0 $(GO) build -o $(OSSA) ./cmd/ossa

check: format vet lint layers unit

test: format vet lint portable layers unit race crash-short chaos-short compat real
	@echo "make test: all passed"

format:
	@echo "== gofmt"
	@files=$$(git ls-files --cached --others --exclude-standard '*.go' | xargs -r gofmt -l); \
	if [ -n "$$files" ]; then echo "not formatted by gofmt:"; echo "$$files"; exit 1; fi

vet:
	@echo "== go vet"
	$(GO) vet ./...

lint:
	@echo "== staticcheck"
	$(GO) run $(STATICCHECK) ./...

# The default build is pure Go. Tests run on Linux; the command line is built for
# where its users sit, too.
portable:
	@echo "== builds without cgo"
	CGO_ENABLED=0 $(GO) build -o $(OSSA) ./cmd/ossa
	CGO_ENABLED=0 GOARCH=arm64 $(GO) build -o /dev/null ./cmd/ossa
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 $(GO) build -o /dev/null ./cmd/ossa
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 $(GO) build -o /dev/null ./cmd/ossa

layers:
	@echo "== layers"
	$(GO) test -count=1 ./internal

unit:
	@echo "== tests"
	$(GO) test -timeout 15m ./...

race:
	@echo "== tests under the race detector"
	CGO_ENABLED=1 $(GO) test -race -short -timeout 20m $(RACE)

crash-short: build
	@echo "== crash, $(CRASH_ROUNDS) rounds"
	$(GO) run ./test/crash -ossa $(OSSA) -rounds $(CRASH_ROUNDS) $(if $(SEED),-seed $(SEED))

crash: build
	$(GO) run ./test/crash -ossa $(OSSA) -rounds $(ROUNDS) $(if $(SEED),-seed $(SEED))

chaos-short: build
	@echo "== chaos, $(CHAOS_ROUNDS) rounds"
	$(GO) run ./test/chaos -ossa $(OSSA) -rounds $(CHAOS_ROUNDS) -max-size 67108864 $(if $(SEED),-seed $(SEED))

# Without processes first, where the library's test makes and breaks the network itself.
chaos: build
	$(GO) test -count=1 -timeout 2h -run Chaos ./oss -chaos.rounds $(ROUNDS) $(if $(SEED),-chaos.seed $(SEED))
	$(GO) run ./test/chaos -ossa $(OSSA) -rounds $(ROUNDS) $(if $(SEED),-seed $(SEED))

compat: build
	@echo "== official clients"
	OSSA_BIN=$(CURDIR)/$(OSSA) test/compat/run

real: build
	@echo "== jobs of real life"
	OSSA_BIN=$(CURDIR)/$(OSSA) test/real/run

bench:
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./internal/...

memory: build
	$(GO) run ./bench/memory -ossa $(OSSA)
	$(GO) test -count=1 -v -run LongListings ./cmd/ossa -long.keys 2000000

# A module of its own: nothing else needs the SDKs.
transfer: build
	cd bench/transfer && $(GO) run . -ossa $(CURDIR)/$(OSSA) $(TRANSFER)

# Every fuzz target of the tree, one after the other.
fuzz:
	@for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "== $$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

docs:
	$(GO) generate ./...

clean:
	rm -rf bin
