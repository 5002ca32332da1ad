package atmos

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	goversion "github.com/hashicorp/go-version"

	"github.com/terraform-gitops/gitops/shared/envlist"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// The oldest and the newest version of Atmos that these actions were tested with.
const (
	Oldest = "1.196.0"
	Newest = "1.227.0"
)

// Version is what Atmos says of itself.
type Version struct {
	// Number is the version as Atmos prints it. A build from source may print something
	// else, such as test or 0.0.1.
	Number string
	// Edition is the date to which atmos.yaml or ATMOS_EDITION pins the defaults; empty
	// for the newest defaults.
	// https://atmos.tools/cli/configuration/editions
	Edition string
}

// String is the version for people: "1.227.0, edition 2026-01".
func (v Version) String() string {
	if v.Edition == "" {
		return v.Number
	}
	return v.Number + ", edition " + v.Edition
}

// number is the version without a suffix; nil for a build from source.
func (v Version) number() *goversion.Version {
	n, err := goversion.NewVersion(v.Number)
	if err != nil || n.LessThan(goversion.Must(goversion.NewVersion("1.0.0"))) {
		return nil
	}
	return n.Core()
}

func (v Version) atLeast(oldest string) bool {
	n := v.number()
	return n != nil && n.GreaterThanOrEqual(goversion.Must(goversion.NewVersion(oldest)))
}

// Untried is a line that says that these actions were not tested with this version; empty if
// they were.
func (v Version) Untried() string {
	const tried = "these actions were tried with " + Oldest + " to " + Newest
	switch {
	case v.number() == nil:
		return fmt.Sprintf("Atmos calls itself %q, as builds from source do: %s.", v.Number, tried)
	case v.number().GreaterThan(goversion.Must(goversion.NewVersion(Newest))):
		return fmt.Sprintf("Atmos %s is newer than %s, the newest that these actions were tried with.", v.Number, Newest)
	}
	return ""
}

// plainVersion matches the version in what Atmos prints for people.
var plainVersion = regexp.MustCompile(`Atmos v?(\S+) on `)

// askedVersion is what was found out about Atmos and the checkouts, once.
type askedVersion struct {
	mu      sync.Mutex
	known   Version
	callOut map[string]bool // by checkout: see mayCallOut
}

// Version asks Atmos for its version, once for all copies of the project. A version that is
// older than [Oldest] is an error.
func (a Project) Version(ctx context.Context) (Version, error) {
	if a.version == nil {
		a.version = &askedVersion{}
	}
	a.version.mu.Lock()
	defer a.version.mu.Unlock()
	if a.version.known.Number != "" {
		return a.version.known, nil
	}
	out, said, err := a.run(ctx, "version", "--format", "json")
	if err != nil {
		return Version{}, a.failed(ctx, "say its version", said, err)
	}
	var v struct {
		Number string `json:"version"`
	}
	if err := json.Unmarshal(out, &v); err != nil {
		if found := plainVersion.FindSubmatch(out); found != nil {
			v.Number = string(found[1])
		}
	}
	if v.Number == "" || !inventory.IsPrintable(v.Number) || len(v.Number) > inventory.MaxName {
		return Version{}, problem.With(problem.Atmos, fmt.Errorf("`atmos version --format json` on the runner says no version: install Atmos %s or newer", Oldest))
	}
	known := Version{Number: v.Number, Edition: a.edition()}
	if known.number() != nil && !known.atLeast(Oldest) {
		return Version{}, problem.With(problem.Atmos, fmt.Errorf("the runner has Atmos %s: install %s or newer, the oldest that works", v.Number, Oldest))
	}
	a.version.known = known
	return known, nil
}

// edition is the edition that the environment or atmos.yaml pins; empty if neither does.
func (a Project) edition() string {
	if pinned := strings.TrimSpace(envlist.Value(a.Env, "ATMOS_EDITION")); pinned != "" {
		return problem.Shorten(pinned)
	}
	dir := a.Root
	if add, found, err := Find(a.Root, "", a.Env); err == nil && found && add != nil {
		dir = add["ATMOS_CLI_CONFIG_PATH"]
	}
	for _, name := range configFiles {
		content, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // Atmos reads it, too
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(content)) {
			if value, ok := strings.CutPrefix(line, "edition:"); ok {
				value, _, _ = strings.Cut(value, " #")
				return problem.Shorten(strings.Trim(strings.TrimSpace(value), `"'`))
			}
		}
	}
	return ""
}
