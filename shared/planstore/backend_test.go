package planstore

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/planstore/storetest"
)

// backend is a store of one test. The test can damage what it holds.
type backend struct {
	*Store
	*storetest.Backend
	clock *storetest.Clock
}

func newBackend(b *storetest.Backend) *backend {
	c := storetest.NewClock()
	return &backend{New(b, c.Now), b, c}
}

// open opens the same store again, as another process would.
func (b *backend) open() *Store { return New(b.Open(), b.clock.Now) }

// onEachBackend runs a conformance test on S3 and DynamoDB and on a folder.
func onEachBackend(t *testing.T, test func(t *testing.T, b *backend)) {
	storetest.OnEach(t, func(t *testing.T, b *storetest.Backend) { test(t, newBackend(b)) })
}

func newFolderBackend(t testing.TB, path string) *backend {
	return newBackend(storetest.NewFolder(t, path))
}

// newWiredBackend is a store in AWS whose requests a test can break.
func newWiredBackend(t testing.TB) (*backend, *storetest.Wire) {
	b, w := storetest.NewWired(t)
	return newBackend(b), w
}

var network = Target{Repository: "acme/infra", Component: "network", Stack: "plat-ue2-dev"}

const (
	commitA = "4f1c2d9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	commitB = "4f1c2d9bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func runNumber(id string, attempt int) Run {
	return Run{ID: id, Attempt: attempt, URL: "https://github.com/acme/infra/actions/runs/" + id}
}

// newRecord is a record with everything that a plan action knows before Put.
func (b *backend) newRecord(state *StatePosition) Record {
	now := b.clock.Now()
	return Record{
		Target: network, Commit: commitA, CreatedAt: now, Run: runNumber("100", 1), Actor: "octocat",
		Kind: KindChange, Outcome: OutcomeChanges,
		ConfigurationDigest: strings.Repeat("c0", 32), Files: map[string]string{"main.tf": "aa11", "ümlaut .tf": "bb22"},
		TerraformName: "terraform", TerraformVersion: "1.11.4",
		State: state, Counts: changes.Counts{Create: 2, Replace: 1, Outputs: 3},
		PullRequest: 41, Branch: "feature/x", BaseCommit: commitB,
		ExpiresAt: now.Add(24 * time.Hour),
	}
}

// put stores a record with a planfile of these contents.
func (b *backend) put(t *testing.T, r Record, contents string) Record {
	t.Helper()
	stored, err := b.Put(t.Context(), r, writeFile(t, contents))
	must(t, err)
	return stored
}

// putWithFiles stores a record with a planfile and built files of these contents.
func (b *backend) putWithFiles(t *testing.T, r Record, contents, files string) Record {
	t.Helper()
	stored, err := b.PutWithFiles(t.Context(), r, writeFile(t, contents), writeFile(t, files))
	must(t, err)
	return stored
}

// apply claims a record and finishes it as applied.
func (b *backend) apply(t *testing.T, r Record, run Run) {
	t.Helper()
	must(t, b.Claim(t.Context(), r, run, "octocat", Audit{}))
	must(t, b.Finish(t.Context(), r, run, Result{Status: StatusApplied}))
}

// Fetch is Store.Fetch, without when the planfile was stored.
func (b *backend) Fetch(ctx context.Context, r Record, path string) error {
	_, err := b.Store.Fetch(ctx, r, path)
	return err
}

func (b *backend) status(t *testing.T, r Record) Status {
	t.Helper()
	found, err := b.Find(t.Context(), r.Target, r.Commit)
	must(t, err)
	if found.Record.ID() != r.ID() {
		t.Fatalf("found record %s, want %s", found.Record.ID(), r.ID())
	}
	return found.Status
}

func writeFile(t testing.TB, contents string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plan.tfplan")
	must(t, os.WriteFile(path, []byte(contents), 0o600))
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
