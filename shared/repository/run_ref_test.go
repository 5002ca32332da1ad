package repository_test

import (
	"bytes"
	"testing"

	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// In a clone of depth 1, Git doesn't know how commits relate: then nothing is allowed without GitHub.
func TestWhatTheRunsRefHolds(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	for name, c := range map[string]struct {
		checkout, sha string
		history       []string // as GitHub knows it
		whole, short  bool     // what a whole clone and one of depth 1 may run
	}{
		"the run's own commit":            {o.main, o.main, nil, true, true},
		"an older one, GitHub says so":    {o.left, o.main, []string{o.left, o.main}, true, true},
		"an older one, nobody says so":    {o.left, o.main, nil, true, false},
		"a newer one":                     {o.mergeOfAll, o.main, []string{o.main, o.mergeOfAll}, false, false},
		"one of a branch":                 {o.head, o.main, nil, false, false},
		"the merge of a branch with main": {o.mergeOfAll, o.main, nil, false, false},
		"no commit of the run":            {o.main, "", nil, false, false},
	} {
		for _, depth := range [][]string{nil, {"--depth=1"}} {
			gh := fakegithub.Start(t)
			gh.Repository("acme/infra").AddHistory(c.history...)
			token := gh.NewToken("github-actions[bot]", fakegithub.Permissions{"contents": "read"})
			w := o.clone("merge", repository.Inputs{}, depth...)
			w.origin.git(append([]string{"fetch", "--quiet", "origin", c.checkout}, depth...)...)
			w.origin.git("checkout", "--quiet", "--detach", c.checkout)
			rp := open(t, w.origin.dir, w.temp, repository.Inputs{Token: token}, &bytes.Buffer{}, "GITHUB_API_URL="+gh.URL(), "GITHUB_SHA="+c.sha, "GITHUB_REF=refs/heads/main")
			want := c.whole
			if depth != nil {
				want = c.short
			}
			if got, err := rp.HoldsRunsCode(t.Context()); err != nil && problem.CodeOf(err) != problem.RunRef || got != want {
				t.Errorf("%s, %v: %t, %v, want %t", name, depth, got, err, want)
			}
		}
	}
}
