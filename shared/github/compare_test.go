package github

import (
	"errors"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

func TestACommitIsBehindThoseThatFollowIt(t *testing.T) {
	t.Parallel()
	s := fakegithub.Start(t)
	s.Repository(repo).AddHistory(base, before, landed)
	c := connect(t, s.URL(), s.NewToken(bot, fakegithub.Permissions{"contents": "read"}))
	for commit, want := range map[string]bool{base: true, before: false, landed: false} {
		if got, err := c.Behind(t.Context(), repo, commit, before); err != nil || got != want {
			t.Errorf("%s and %s: %t, %v, want %t", commit, before, got, err, want)
		}
	}
	if _, err := c.Behind(t.Context(), repo, base, head); problem.CodeOf(err) != problem.GitHubPermission {
		t.Errorf("a commit that GitHub does not have: %v", err)
	}
	if _, err := c.Behind(t.Context(), repo, base, "main"); err == nil || strings.Contains(err.Error(), "GitHub answered") {
		t.Errorf("a branch: %v", err)
	}
	may := connect(t, s.URL(), s.NewToken(bot, fakegithub.Permissions{"contents": "none"}))
	if _, err := may.Behind(t.Context(), repo, base, before); !errors.Is(err, ErrPermission) || !strings.Contains(err.Error(), "contents: read") {
		t.Errorf("a token that may not: %v", err)
	}
}
