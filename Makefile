# make test   the whole suite            make demo   the main job, on this machine
# make bench  what things cost           make lint   what CI checks beside the tests
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

ACTIONS := plan apply
MODULES := shared actions/plan actions/apply test
TOOLS   := $(CURDIR)/test/.tools
BIN     := $(TOOLS)/bin

.PHONY: help build test demo bench torture fuzz lint tools clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

build: ## Build the actions' binaries into test/.tools/bin
	@mkdir -p $(BIN)
	for a in $(ACTIONS); do go build -trimpath -o $(BIN)/$$a ./actions/$$a; done
	go build -trimpath -o $(BIN)/demo ./test/demo

demo: build ## Plan, review, merge and apply on this machine, then be refused
	$(BIN)/demo $(BIN) test/sample

test: tools ## Run the whole suite
	@command -v terraform >/dev/null || { echo "make test: terraform is not on PATH: install Terraform 1.6 or newer" >&2; exit 1; }
	for m in $(MODULES); do go test -C $$m -race ./...; done

bench: tools build ## Measure: prints ratios and counts
	go test -C shared -run '^$$' -bench . -benchtime 1x ./changes ./planstore ./report
	go test -C test -run '^$$' -bench . -benchtime 1x -timeout 30m ./bench

torture: tools ## Kill plan and apply at random moments, 200 times
	TORTURE_ROUNDS=200 go test -C test -run Torture -timeout 60m -v ./torture

tools: $(TOOLS)/npm.stamp ## Set up what tests need: GitHub's API description and example payloads, moto_server

$(TOOLS)/npm.stamp: test/npm/package-lock.json
	npm ci --prefix test/npm --silent
	@mkdir -p $(TOOLS) && touch $@
