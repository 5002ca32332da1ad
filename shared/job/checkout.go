package job

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Checkout is what the workspace holds.
type Checkout struct {
	Commit string
	// Parents of the commit, first parent first. Read from the commit itself,
	// so they are known in a shallow clone too.
	Parents []string
	// Committed is when the commit was made, by the clock of whoever made it; zero when
	// it does not say.
	Committed time.Time
}

// ReadCheckout asks Git which commit is checked out in workspace. Files that
// differ from it are not looked for: the configuration digest covers them.
func ReadCheckout(ctx context.Context, workspace string) (Checkout, error) {
	// The workspace may belong to another user in a container job, and Git
	// would refuse it; the runner gave us this folder, so it is safe.
	cmd := exec.CommandContext(ctx, "git", "-c", "safe.directory=*", "-C", workspace, "cat-file", "--batch")
	cmd.Stdin = strings.NewReader("HEAD^{commit}\n")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return Checkout{}, problem.With(problem.Checkout, fmt.Errorf("read which commit the workspace holds: git: %w: %s", err, bytes.TrimSpace(stderr.Bytes())))
	}
	// "<sha> commit <size>", then the commit as stored. (`git log` would hide
	// the parents of a shallow clone's last commit.)
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Scan()
	commit, _, _ := strings.Cut(lines.Text(), " ")
	if !IsCommit(commit) {
		return Checkout{}, problem.With(problem.Checkout, fmt.Errorf("read which commit the workspace holds: git has no commit at HEAD: %q", lines.Text()))
	}
	c := Checkout{Commit: commit}
	for lines.Scan() && lines.Text() != "" {
		if parent, ok := strings.CutPrefix(lines.Text(), "parent "); ok {
			c.Parents = append(c.Parents, parent)
		}
		if m := committed.FindStringSubmatch(lines.Text()); m != nil {
			if seconds, err := strconv.ParseInt(m[1], 10, 64); err == nil {
				c.Committed = time.Unix(seconds, 0)
			}
		}
	}
	return c, nil
}

// committed is the line of a commit with its time, in seconds, and a time zone.
var committed = regexp.MustCompile(`^committer .*> ([0-9]+) [+-][0-9]+$`)

// Holds reports whether the checkout is commit itself, or the merge of commit
// into its base that GitHub makes for a pull request (refs/pull/N/merge, which
// actions/checkout checks out by default).
func (c Checkout) Holds(commit string) bool {
	return c.Commit == commit || c.IsMergeOf(commit)
}

// IsMergeOf reports whether the checkout is a merge of commit into another one.
func (c Checkout) IsMergeOf(commit string) bool {
	return len(c.Parents) == 2 && c.Parents[1] == commit
}

var commitPattern = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// IsCommit reports whether s is a full commit SHA, SHA-1 or SHA-256.
func IsCommit(s string) bool { return commitPattern.MatchString(s) }

// Short is the first 7 digits of a commit, as people write it.
func Short(commit string) string { return commit[:min(7, len(commit))] }
