package pulls_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

const repository = "acme/infrastructure"

var (
	network = planstore.Target{Repository: repository, Component: "network", Stack: "dev"}
	service = planstore.Target{Repository: repository, Component: "service", Stack: "dev"}
)

// world is a repository at GitHub with a plan store in a folder.
type world struct {
	*testing.T
	server *fakegithub.Server
	github *fakegithub.Repository
	store  *planstore.Store
	clock  time.Time
	runs   int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := fakegithub.Start(t)
	w := &world{T: t, server: s, github: s.Repository(repository), clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	backend, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	store := planstore.New(backend, func() time.Time { return w.clock })
	w.store = store
	return w
}

// requests returns the Requests of a job with a token of its own.
func (w *world) requests(permissions fakegithub.Permissions) *pulls.Requests {
	token := w.server.NewToken("github-actions[bot]", permissions)
	return pulls.New(func() (*github.Client, error) { return github.New(w.server.URL(), token, github.WithPace(0)) }, repository)
}

// job has all permissions that plan and apply need.
func (w *world) job() *pulls.Requests {
	return w.requests(fakegithub.Permissions{"contents": "write", "pull_requests": "read", "statuses": "write"})
}

// later moves the clock, so that the next step has a later time than the one before.
func (w *world) later() { w.clock = w.clock.Add(time.Minute) }

// open opens a pull request. Its head is the commit that consists of the digit.
func (w *world) open(digit string) int {
	return w.github.AddPullRequest(fakegithub.PullRequest{HeadSHA: commit(digit)})
}

func commit(digit string) string { return strings.Repeat(digit, 40) }

func (w *world) run() planstore.Run {
	w.runs++
	return planstore.Run{ID: strings.Repeat("1", w.runs), Attempt: 1, URL: "https://github.com/" + repository + "/actions/runs/1"}
}

// plan stores a plan of a target. If pullRequest is 0, it belongs to none.
func (w *world) plan(of planstore.Target, pullRequest int, commit string) planstore.Record {
	w.Helper()
	w.later()
	file := filepath.Join(w.TempDir(), "tfplan")
	if err := os.WriteFile(file, []byte(commit+w.clock.String()), 0o600); err != nil {
		w.Fatal(err)
	}
	stored, err := w.store.Put(w.Context(), planstore.Record{
		Target: of, Commit: commit, CreatedAt: w.clock, ExpiresAt: w.clock.Add(24 * time.Hour), Run: w.run(),
		Kind: planstore.KindChange, Outcome: planstore.OutcomeChanges, PullRequest: pullRequest,
	}, file)
	if err != nil {
		w.Fatal(err)
	}
	return stored
}

// apply claims a plan and applies it.
func (w *world) apply(r planstore.Record) {
	w.Helper()
	w.later()
	run := w.run()
	if err := w.store.Claim(w.Context(), r, run, "mona", planstore.Audit{}); err != nil {
		w.Fatal(err)
	}
	if err := w.store.Finish(w.Context(), r, run, planstore.Result{Status: planstore.StatusApplied}); err != nil {
		w.Fatal(err)
	}
}

// merge merges a pull request. The merge commit consists of the digit.
func (w *world) merge(number int, digit string) {
	w.github.Merge(number, fakegithub.MergeCommit, commit(digit))
}
