SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# A release's version is checked here, before a recipe starts: when Make passes a variable to a
# shell, it expands it, and runs a `$(shell …)` in it. The check replaces each number with 0:
# v1.20.3 must become v0.0.0.
ifneq (,$(filter release,$(MAKECMDGOALS)))
judged := $(value VERSION)
$(foreach d,1 2 3 4 5 6 7 8 9,$(eval judged := $$(subst $(d),0,$$(judged))))
$(foreach again,1 2 3 4 5,$(eval judged := $$(subst 00,0,$$(judged))))
ifneq ($(judged),v0.0.0)
$(error usage: make release VERSION=v1.2.3 OUT=folder: VERSION is not v and three numbers)
endif
ifneq (,$(findstring $$,$(value OUT)))
$(error usage: make release VERSION=v1.2.3 OUT=folder: OUT has a dollar sign, which Make would expand)
endif
export VERSION OUT
endif

MODULES  := shared actions/plan actions/apply actions/drift-detection actions/drift-remediation test test/kit
PACKAGES := $(MODULES:%=./%/...)
ACTIONS  := plan apply drift-detection drift-remediation
TOOLS    := $(CURDIR)/test/.tools
BIN      := $(TOOLS)/bin

# Versions of the tools are only here, except npm packages (test/npm/package.json), terraform-docs
# (test/tools/go.mod), OpenTofu (test/opentofu/build/go.mod) and conftest (test/conftest/go.mod).
ACT           := github.com/nektos/act@v0.2.89
ACTIONLINT    := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.9.0
TFLINT        := github.com/terraform-linters/tflint@v0.64.0
MOTO          := moto[server]==5.2.1
CYCLONEDX     := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
# Builds releases. Another version would build different binaries.
RELEASE_GO    := go1.26.8

PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64

GOTESTFLAGS ?=
# For one package, on a busy machine: long enough for slow tests, and still ends one that hangs.
TESTTIMEOUT ?= 60m
FUZZTIME    ?= 10s
ROUNDS      ?= 200

# Installed programs come first, so make's moto_server is used only if there is no other. A
# Terraform is in $(TOOLS)/path only if PATH has no suitable one.
export PATH := $(TOOLS)/path:$(PATH):$(TOOLS)/moto/bin
# As the launcher and releases build, so that what is compiled for one is in Go's cache for all.
export GOFLAGS += -trimpath

# One stamp per Go tool and version: a new version is installed again.
GO_TOOLS := $(ACT) $(ACTIONLINT) $(GOLANGCI_LINT) $(GOVULNCHECK) $(TFLINT)
stamp = $(TOOLS)/$(notdir $(1)).stamp

.PHONY: help build stand-ins demo test race opentofu conftest bench torture fuzz lint lint-go lint-modules lint-vulnerabilities \
	lint-terraform lint-workflows lint-text docs tools needs terraform release clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Go's caches are in HOME, unless HOME is read-only, missing or not set.
GO_CACHES = for name in GOCACHE GOMODCACHE$(1); do \
		dir=$$(go env "$$name" 2>/dev/null) || dir=; dir=$${dir%%:*}; \
		[[ "$$dir" == /* ]] && mkdir -p "$$dir" 2>/dev/null && [[ -w "$$dir" ]] || dir=$(TOOLS)/$$name; \
		export "$$name=$$dir"; \
	done;
# go install and go run of a version keep what they know of checksums in GOPATH.
GO_FOLDERS = $(call GO_CACHES, GOPATH)

# What stories run beside the actions: a stand-in for Atmos, and a provider, a module of its own.
stand-ins:
	@mkdir -p "$(BIN)/stand-in"
	@$(GO_CACHES) export CGO_ENABLED=0; go build -buildvcs=false -o "$(BIN)/stand-in/atmos" ./test/atmos; \
	GOWORK=off go build -C test/provider -buildvcs=false -o "$(BIN)/provider" .

# Builds without C, as releases do, so that no C compiler is needed.
build: ## Build the actions' binaries and the demo into test/.tools/bin
	@mkdir -p "$(BIN)"
	@$(GO_CACHES) CGO_ENABLED=0 go build -buildvcs=false -ldflags=-s -o "$(BIN)/" $(ACTIONS:%=./actions/%) ./test/demo

demo: ## Plan, review, merge and apply on this machine, be refused, and revert drift (VERBOSE=1: all summaries)
	@for need in go git; do command -v $$need >/dev/null || { echo "make demo: $$need is not on PATH: install Go 1.26 (https://go.dev/dl) and Git" >&2; exit 1; }; done
	@if test -x "$(BIN)/demo"; then echo "Building what has changed of the actions and the demo."; else printf '%s\n' \
		"Building the actions and the demo. The first time, Go downloads modules and compiles for one to" \
		"three minutes; from then on it takes a second."; fi
	@$(MAKE) --no-print-directory build
	@"$(BIN)/demo" $(if $(VERBOSE),-verbose) -actions "$(BIN)" -sample test/sample -tools "$(TOOLS)"

# -count=1: tests run Terraform and read other modules, which Go's test cache does not see.
# -vet=off: `make lint` vets, and with each set of flags Go would vet all that is imported.
# -ldflags=-s: without a symbol table and DWARF, nearly half of the time to link some 100 test binaries is saved.
GOTEST = go test -count=1 -vet=off -ldflags=-s -timeout $(TESTTIMEOUT) $(GOTESTFLAGS)

# Stories start the actions and Terraform a thousand times, which is slow with the race detector:
# `make race` does that. Here it checks the packages that start goroutines or are used by several,
# except for tests that start none and take minutes with it.
SEQUENTIAL := shared/(approvals|builtfiles|changes|changes/ignore|checkout|envlist|fingerprint|fingerprint/references|gitaccess|inventory|inventory/gitops) \
	shared/(problem|report/.*|retry|terraform/install|terraform/modules|terraform/planfile|terraform/tfvars) test/kit/(executable|seed)
UNRACED := TestModel TestManyLargePlansFitTheSummaryWorstFirst TestEveryLimitIsKept TestEveryLimitOfManyIsKept \
	TestTheWorstReportHasRoomAmongTenThousandTargets TestASummaryOfExactlyTheLimitIsWhole TestManyReportsTakeLittleMemory \
	TestDetailsGoFirstThenNamesThenNumbers TestTheCommentOnAMergeFitsItsLimit FuzzPlanMarkdown \
	TestRecordIsTheSameRecordAfterEveryRoundTrip \
	TestFindAndFetchCostTheSameHoweverManyPlansAreStored TestListsOfPlansHaveAllPagesAndNoFiles \
	TestAPolicyThatEatsMemoryDenies TestAHundredThousandMessagesAreCounted TestALargePlanFits TestARunawayPolicyHurtsNoOtherTarget \
	TestTargetsWithAwkwardNamesAreKeptApart TestDriftResultsOfAwkwardNamesAreKeptApart TestNoNameGetsOutOfTheFolder \
	TestRecordThatWasWrittenOverIsRefused TestRecordThatDisagreesWithItsKeyIsRefusedHoweverItIsSealed
one_of = ($(subst $(subst ,, ),|,$(strip $(1))))
# The longest first, so that none runs alone at the end.
LONGEST := ./actions/apply ./test/infrastructure ./test/modules ./actions/drift-remediation ./test/launcher ./actions/plan ./test/workflow
LONGEST_RACED := ./shared/planstore ./shared/policy/evaluator ./shared/apply ./shared/inventory/atmos ./shared/terraform/keeper ./shared/github
# What the half that is done first goes on with.
LAST := ./test/render ./test/bench ./test/torture ./test/demo ./test/needs ./test/atmos
# The suite starts some 20,000 Go programs that end within a second. With Go's own setting they spend a
# fifth of their CPU time on collecting garbage.
LAZY_COLLECTOR := GOGC=400 GOMEMLIMIT=1GiB
# So Git does not write 17 example files into each of a thousand repositories, and Node.js, which tests start
# some hundred times without a network, reads no certificates.
NO_EXTRAS := GIT_TEMPLATE_DIR= NODE_EXTRA_CA_CERTS=
# Stories write and remove small files by the hundred thousand, which takes a quarter less CPU time in memory
# than on ext4.
IN_MEMORY = if test -z "$${TMPDIR-}" && awk '/^MemAvailable/ { exit $$2 < 8e6 }' /proc/meminfo && \
		df -Pk /dev/shm | awk 'END { exit $$4 < 4e6 }' && memory=$$(mktemp -d /dev/shm/gitops-XXXXXX); then \
		trap 'rm -rf "$$memory"' EXIT; \
		printf '\#!/bin/sh\n' >"$$memory/try"; chmod +x "$$memory/try"; ! "$$memory/try" || export TMPDIR=$$memory; \
	fi 2>/dev/null;
# Both halves run at once, and of each package more stories than there are cores, so that no core is idle while
# tests wait. (Still more at once take more CPU time.) The halves are two ends of a pipe that nothing is written to, since programs that
# a shell starts with & ignore interrupts, which some tests send.
test: tools build stand-ins ## Run the whole suite, packages with goroutines with the race detector
	@$(GO_FOLDERS) $(IN_MEMORY) export TEST_BINARIES=$(BIN) TEST_BINARIES_ARE_FRESH=yes $(LAZY_COLLECTOR) $(NO_EXTRAS); cores=$$(getconf _NPROCESSORS_ONLN); packages=$$(go list ./shared/... ./test/kit/...); \
	{ \
		failed=; \
		CGO_ENABLED=0 $(GOTEST) -run '^$(call one_of,$(UNRACED))$$' ./shared/planstore ./shared/report ./shared/drift ./shared/policy/evaluator ./shared/apply || failed=yes; \
		$(GOTEST) -race -skip '^$(call one_of,$(UNRACED))$$' $(LONGEST_RACED) $$(grep -vE '/$(call one_of,$(SEQUENTIAL))$$' <<<"$$packages") || failed=yes; \
		CGO_ENABLED=0 $(GOTEST) $(LAST) || failed=yes; \
		test -z "$$failed"; \
	} >"$(TOOLS)/raced" | \
	CGO_ENABLED=0 $(GOTEST) -parallel $$((cores + 1)) $(LONGEST) $$(grep -E '/$(call one_of,$(SEQUENTIAL))$$' <<<"$$packages") $$(go list $(filter-out ./shared/... ./test/kit/...,$(PACKAGES)) | grep -vE '/$(call one_of,$(LAST:./%=%))$$') </dev/null || failed=yes; \
	cat "$(TOOLS)/raced"; test -z "$${failed-}"

# With the race detector, these need more memory than they let a policy have.
race: tools ## Run the whole suite with the race detector, which takes much longer
	$(GOTEST) -race -skip '^(TestAPolicyThatEatsMemoryDenies|TestARunawayPolicyHurtsNoOtherTarget)$$' $(PACKAGES)

opentofu: needs $(TOOLS)/npm.stamp $(BIN)/tofu ## Build OpenTofu, and run the main stories with it
	PATH="$(BIN):$$PATH" $(GOTEST) -tags opentofu ./test/opentofu

conftest: ## Build conftest, and check that its verdicts on policies are those that are recorded
	GOWORK=off go test -C test/conftest -count=1 .

bench: tools build ## Measure the cost of the actions: prints ratios, memory and counts
	go test -run '^$$' -bench . -benchtime 1x -timeout $(TESTTIMEOUT) $(PACKAGES)

torture: tools ## Kill plan and apply at random moments, ROUNDS times (200); TEST_SEED=N repeats a run
	TEST_SEED=$${TEST_SEED:-random} TORTURE_ROUNDS=$(ROUNDS) go test -run Torture -timeout 2h -v ./test/torture

# Inputs are not minimized: that takes a minute for each planfile, which is a zip.
fuzz: tools ## Run every fuzz target for FUZZTIME (10s)
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9]+' $(MODULES) | while IFS=: read -r file func; do \
		echo "$$file: $${func#func }"; \
		go test "./$$(dirname "$$file")" -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x; \
	done

lint: lint-go lint-modules lint-vulnerabilities lint-terraform lint-workflows lint-text ## Run what CI checks besides the tests

lint-go: $(call stamp,$(GOLANGCI_LINT))
	@unformatted=$$(gofmt -l $(MODULES)); test -z "$$unformatted" || { echo "run gofmt -w on:" $$unformatted >&2; exit 1; }
	go vet $(PACKAGES)
	$(BIN)/golangci-lint run $(PACKAGES)

# Builds each module alone, as users of an action do.
lint-modules:
	@bad=; export GOWORK=off; for m in $(MODULES); do \
		echo "go mod tidy and go build of $$m alone"; \
		go mod tidy -C $$m -diff && go build -C $$m -o /dev/null ./... || bad=yes; \
	done; test -z "$$bad"

lint-vulnerabilities: $(call stamp,$(GOVULNCHECK))
	@for m in $(MODULES); do \
		if said=$$($(BIN)/govulncheck -C $$m ./... 2>&1); then echo "govulncheck of $$m: $$said"; \
		elif [[ $$said == *"fetching vulnerabilities"* ]]; then echo "govulncheck: NOT CHECKED: its database can't be reached from here"; break; \
		else echo "$$said" >&2; exit 1; fi; \
	done

# The user's Terraform CLI configuration must not affect the format.
lint-terraform: terraform $(call stamp,$(TFLINT)) $(BIN)/terraform-docs
	env -u TF_CLI_CONFIG_FILE terraform fmt -check -diff -recursive
	@for m in modules/*/ modules/*/examples/*/; do $(BIN)/tflint --chdir=$$m || exit 1; done
	@! command -v trivy >/dev/null || trivy config --quiet --skip-check-update --skip-version-check --exit-code 1 modules
	@for m in modules/*/; do $(TERRAFORM_DOCS) --output-check $$m || { echo "run make docs" >&2; exit 1; }; done

TERRAFORM_DOCS = $(BIN)/terraform-docs markdown table --output-mode inject --output-file README.md

docs: $(BIN)/terraform-docs ## Write the tables of inputs and outputs into the modules' READMEs
	@for m in modules/*/; do $(TERRAFORM_DOCS) $$m; done

lint-workflows: $(call stamp,$(ACTIONLINT))
	$(BIN)/actionlint .github/workflows/*.yml test/workflow/testdata/*.yml

# Paths of one machine, and hosts that packages came from. ([w]ork: not itself.)
lint-text:
	@if git grep -nIE '/[w]ork/|/[r]oot/|[n]pmjs\.|(proxy|sum)\.[g]olang\.org|[p]ypi\.org|"[r]esolved": *"' -- . >&2; then \
		echo "these lines name a machine's path or a package registry" >&2; exit 1; \
	else test $$? -eq 1; fi

tools: needs $(TOOLS)/npm.stamp $(call stamp,$(ACT)) $(call stamp,$(ACTIONLINT)) ## Set up what the tests need

needs: ## Install the programs that the tests need, or list the missing ones
	@test/needs/needs.sh $(TOOLS) '$(MOTO)'

terraform:
	@go run ./test/needs/terraform $(TOOLS)

$(BIN)/terraform-docs: test/tools/go.mod
	GOWORK=off go build -C test/tools -o $@ github.com/terraform-docs/terraform-docs
	@touch $@

# Built like OpenTofu's own release, so that it reports its version.
$(BIN)/tofu: test/opentofu/build/go.mod
	CGO_ENABLED=0 GOWORK=off go build -C test/opentofu/build -trimpath -o $@ \
		-ldflags '-s -w -X github.com/opentofu/opentofu/version.dev=no' github.com/opentofu/opentofu/cmd/tofu
	@touch $@

$(TOOLS)/npm.stamp: test/npm/package-lock.json | needs
	npm ci --prefix test/npm --loglevel=error --cache $(TOOLS)/npm-cache
	@mkdir -p $(TOOLS) && touch $@

$(foreach t,$(GO_TOOLS),$(call stamp,$t)): $(TOOLS)/%.stamp:
	$(GO_FOLDERS) GOBIN=$(BIN) go install $(filter %/$*,$(GO_TOOLS))
	@touch $@

# The binaries must not depend on this machine: see docs/release.md.
release: ## Build a release's files into a new folder: VERSION=v1.2.3 OUT=folder
	@number='(0|[1-9][0-9]*)'; [[ "$$VERSION" =~ ^v$$number\.$$number\.$$number$$ && -n "$$OUT" && ! -e "$$OUT" ]] || \
	{ echo "usage: make release VERSION=v1.2.3 OUT=folder, one that is not there yet" >&2; exit 1; }
	@$(GO_FOLDERS) mkdir -p -- "$$OUT"; out=$$(cd -- "$$OUT" && pwd); \
	export GOTOOLCHAIN=$(RELEASE_GO) GOWORK=off GOFLAGS= GOEXPERIMENT= CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0; \
	for a in $(ACTIONS); do \
		for p in $(PLATFORMS); do \
			file="$$out/$${a}_$${p/\//_}"; echo "$${file##*/}"; \
			GOOS=$${p%/*} GOARCH=$${p#*/} go build -C actions/$$a -trimpath -buildvcs=false -ldflags "-s -w" -o "$$file" .; \
		done; \
		go run -trimpath $(CYCLONEDX) bin -json -std -noserial -notimestamp -version "$$VERSION" -output "$$out/$$a.cdx.json" "$$file"; \
	done; \
	cd "$$out"; export LC_ALL=C; sums=$$(sha256sum *); printf '# %s\n%s\n' "$$VERSION" "$$sums" >checksums.txt

clean: ## Remove everything that make built and downloaded
	rm -rf $(TOOLS) test/npm/node_modules
