package git

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Head is the commit that a checkout holds. Files may differ from it: the configuration
// digest covers them.
type Head struct {
	Commit string
	// Parents of the commit, first parent first. Read from the commit itself,
	// so they are known in a shallow clone too.
	Parents []string
	// Committed is when the commit was made, by the clock of whoever made it; zero when
	// it does not say.
	Committed time.Time
}

// ReadHead asks which commit is checked out in folder.
func ReadHead(ctx context.Context, folder string) (Head, error) {
	// `git log` would hide the parents of a shallow clone's last commit.
	out, err := command{folder: folder, args: []string{"cat-file", "--batch"}, input: []byte("HEAD^{commit}\n")}.run(ctx)
	if err != nil {
		return Head{}, problem.With(problem.Checkout, fmt.Errorf("read which commit the workspace holds: %w", err))
	}
	// "<sha> commit <size>", then the commit as stored.
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Scan()
	commit, _, _ := strings.Cut(lines.Text(), " ")
	if !IsCommit(commit) {
		return Head{}, problem.With(problem.Checkout, fmt.Errorf("read which commit the workspace holds: git has no commit at HEAD: %q", lines.Text()))
	}
	h := Head{Commit: commit}
	for lines.Scan() && lines.Text() != "" {
		if parent, ok := strings.CutPrefix(lines.Text(), "parent "); ok {
			h.Parents = append(h.Parents, parent)
		}
		if m := committed.FindStringSubmatch(lines.Text()); m != nil {
			if seconds, err := strconv.ParseInt(m[1], 10, 64); err == nil {
				h.Committed = time.Unix(seconds, 0)
			}
		}
	}
	return h, nil
}

// committed is the line of a commit with its time, in seconds, and a time zone.
var committed = regexp.MustCompile(`^committer .*> ([0-9]+) [+-][0-9]+$`)

// Holds reports whether the checkout is commit itself, or the merge of commit
// into its base that GitHub makes for a pull request (refs/pull/N/merge, which
// actions/checkout checks out by default).
func (h Head) Holds(commit string) bool {
	return h.Commit == commit || h.IsMergeOf(commit)
}

// IsMergeOf reports whether the checkout is a merge of commit into another one.
func (h Head) IsMergeOf(commit string) bool {
	return len(h.Parents) == 2 && h.Parents[1] == commit
}

var commitPattern = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// IsCommit reports whether s is a full commit SHA, SHA-1 or SHA-256.
func IsCommit(s string) bool { return commitPattern.MatchString(s) }

// Short is the first 7 digits of a commit, as people write it.
func Short(commit string) string { return commit[:min(7, len(commit))] }
