package repository_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

func TestWhatComesBeforeWhatInHistory(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	gone := strings.Repeat("ab", 20)
	whole, short, shortest := o.clone("merge", repository.Inputs{}), o.clone("merge", repository.Inputs{}, "--depth=2"), o.clone("merge", repository.Inputs{}, "--depth=1")
	for name, c := range map[string]struct {
		commit, other          string
		whole, short, shortest bool // what these clones know, with nobody to ask
	}{
		"before, by the way of main":       {o.main, o.mergeOfAll, true, true, false},
		"before, by the way of the branch": {o.head, o.mergeOfAll, true, true, false},
		"long before":                      {o.left, o.mergeOfAll, true, false, false},
		"after":                            {o.mergeOfAll, o.main, false, false, false},
		"the same":                         {o.main, o.main, false, false, false},
		"beside":                           {o.head, o.main, false, false, false},
		"a commit that is no more":         {o.main, gone, false, false, false},
		"none":                             {o.main, "", false, false, false},
	} {
		for _, clone := range []struct {
			workspace
			want bool
		}{{whole, c.whole}, {short, c.short}, {shortest, c.shortest}} {
			if got, err := clone.Behind(t.Context(), c.commit, c.other); err != nil || got != clone.want {
				t.Errorf("%s: %t, %v, want %t", name, got, err, clone.want)
			}
		}
	}
}

func TestGitHubIsAskedOnceWhereTheWorkspacesHistoryIsTooShort(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	gh := fakegithub.Start(t)
	gh.Repository("acme/infra").AddHistory(o.left, o.main, o.mergeOfAll)
	token := gh.NewToken("github-actions[bot]", fakegithub.Permissions{"contents": "read"})
	w := o.clone("merge", repository.Inputs{}, "--depth=1")
	open := func(token string) *repository.Repository {
		return open(t, w.origin.dir, w.temp, repository.Inputs{Token: token}, &bytes.Buffer{}, "GITHUB_API_URL="+gh.URL())
	}
	rp := open(token)
	for range 500 {
		if behind, err := rp.Behind(t.Context(), o.main, o.mergeOfAll); err != nil || !behind {
			t.Fatalf("%t, %v", behind, err)
		}
		if behind, err := rp.Behind(t.Context(), o.mergeOfAll, o.left); err != nil || behind {
			t.Fatalf("the other way: %t, %v", behind, err)
		}
	}
	if n := len(gh.Requests()); n != 2 {
		t.Errorf("%d requests for two pairs", n)
	}
	// GitHub does not know a commit, or does not tell.
	if behind, err := rp.Behind(t.Context(), o.main, strings.Repeat("ab", 20)); err != nil || behind {
		t.Errorf("a commit that is no more: %t, %v", behind, err)
	}
	if behind, err := open(gh.NewToken("x", fakegithub.Permissions{"contents": "none"})).Behind(t.Context(), o.main, o.mergeOfAll); err != nil || behind {
		t.Errorf("a token that may not: %t, %v", behind, err)
	}
	gh.Fail(fakegithub.Fault{Status: 400})
	if _, err := open(token).Behind(t.Context(), o.main, o.mergeOfAll); err == nil {
		t.Error("GitHub is out, and nothing is said")
	}
}
