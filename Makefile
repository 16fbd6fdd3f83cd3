# Every text names the binaries that "make build" writes.
VERSION ?= dev
LDFLAGS := -X main.version=$(VERSION)
# Modules of their own: go ./... does not see them.
MODULES := bench examples/worker

.PHONY: help build demo cluster test race bench bench-fleet bench-store kill-loop sim plants sim-scale study lint fmt generate fuzz

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/fleetfuse-node and bin/fleetfuse-ctl (the first build compiles SQLite: 1 to 3 minutes)
	@command -v gcc >/dev/null || { echo "a C compiler is missing: apt-get install gcc"; exit 1; }
	CGO_ENABLED=1 go build -ldflags "$(LDFLAGS)" -o bin/fleetfuse-node ./cmd/node
	CGO_ENABLED=0 go build -ldflags "$(LDFLAGS)" -o bin/fleetfuse-ctl ./cmd/ctl

demo: build ## a node, an upstream that fails, eight workers (under 40 s)
	go run ./simulation/demo -node bin/fleetfuse-node

cluster: build ## three nodes on this machine, until Ctrl-C (NODE=n2: only that one, again)
	simulation/cluster.sh bin/fleetfuse-node data/cluster $(NODE)

# What mostly waits runs beside the others and takes no turn from them.
WAITING := fleetfuse/internal/fleet/tuning
test: ## all tests, those of the modules below too
	go vet ./...
	@go test $(WAITING) & waiting=$$!; go test $$(go list ./... | grep -vx $(WAITING)); rest=$$?; wait $$waiting && exit $$rest
	@for m in $(MODULES); do echo "$$m:"; (cd $$m && go build -o /dev/null ./... && go test ./...) || exit 1; done

race: ## all tests with the race detector
	go test -race ./...

bench: build ## HTTP over the socket, then the gate against peers in one run
	cd bench && go run ./cmd/socket && go run ./cmd/table

bench-fleet: build ## five nodes on this machine: trips, dead hosts, kills, pauses, memory (8 minutes; FLAGS=-long: 14 more)
	cd bench && go run ./cmd/fleet $(FLAGS)

bench-store: build ## starts with 100,000 cooldowns, writes a second, decisions while Redis hangs (1 minute)
	cd bench && go run ./cmd/store $(FLAGS)

KILLS ?= 200
kill-loop: build ## kill -9 a node under load again and again; says what was lost (3 to 8 minutes)
	cd bench && go run ./cmd/kills -kills $(KILLS) $(FLAGS)

SEEDS ?= 1000
FROM ?= 0
sim: build ## SEEDS simulated worlds, from seed FROM: which broke a promise, and how to replay it (1,000: 2 minutes on two cores)
	go test ./simulation -run '^TestCampaign$$' -count=1 -v -timeout 0 -seeds $(SEEDS) -from $(FROM)

plants: ## builds bugs into the code, one after the other: the simulation must find each within 10,000 seeds (10 to 20 minutes)
	go test -tags plant ./simulation -run '^TestPlants$$' -count=1 -v -timeout 0

sim-scale: ## what a simulated fleet of 5 to 1,000 nodes costs: a table, and docs/sim-scale.svg (5 minutes)
	SIM_SCALE=$(CURDIR)/docs/sim-scale.svg go test ./simulation -run '^TestScale$$' -v -timeout 30m $(FLAGS)

study: ## docs/studies: detectors on the Turing change-point benchmark and made-up outages, policies on recorded ones (10 minutes; FLEETFUSE_DATA names the recordings)
	@test -d "$(FLEETFUSE_DATA)" || { echo "FLEETFUSE_DATA must name a folder with tcpd, tcpdbench and outages (see tuner/study)"; exit 1; }
	go test ./tuner/study/changepoint -run '^(TestStudy|TestBaselines)$$' -count=1 -v -update
	go test ./tuner/study/outages -run '^TestStudy$$' -count=1 -v -timeout 1h -update

lint: ## vet, gofmt, staticcheck
	go vet ./...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	go tool staticcheck ./...
	@staticcheck=$$(go tool -n staticcheck) && for m in $(MODULES); do echo "$$m:"; (cd $$m && go vet ./... && $$staticcheck ./...) || exit 1; done

fmt: ## gofmt
	gofmt -w $$(git ls-files '*.go')

generate: ## rewrite wire.pb.go (needs protoc), the transcripts, and what is made from the tables of metrics and alerts
	go build -o bin/protoc-gen-go google.golang.org/protobuf/cmd/protoc-gen-go
	protoc -I wire --plugin=bin/protoc-gen-go --go_out=wire --go_opt=paths=source_relative wire.proto
	go test ./breaker -update
	go generate ./telemetry

FUZZTIME ?= 20s
fuzz: ## each fuzz target in turn
	@grep -rlE '^func Fuzz' --include='*_test.go' . | while read f; do \
	  for t in $$(grep -oE '^func Fuzz[A-Za-z0-9_]*' $$f | sed 's/func //'); do \
	    go test $$(dirname $$f) -run '^$$' -fuzz "^$$t$$" -fuzztime $(FUZZTIME) || exit 1; done; done
