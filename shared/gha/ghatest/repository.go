package ghatest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/shared/github/githubtest"
)

// pull is a pull request of the story.
type pull struct {
	branch, into       string // branches
	base, head, merged string // commits
}

func repo(ts *testscript.TestScript, s *story, args []string) {
	sample, network := filepath.Join("test", "sample"), filepath.Join("components", "network")
	if len(args) == 1 {
		if args[0] != "atmos" {
			ts.Fatalf("usage: repo [atmos]")
		}
		sample, network = filepath.Join("test", "atmos", "testdata", "sample"), filepath.Join("components", "terraform", "network")
		ts.Setenv("PATH", s.Atmos+string(filepath.ListSeparator)+ts.Getenv("PATH"))
	}
	copyMissing(ts, filepath.Join(s.Root, sample), s.runner.Workspace())
	ts.Check(os.WriteFile(filepath.Join(s.runner.Workspace(), network, "credential.tf"), []byte(credentialModule), 0o644))
	s.git(ts, "init", "--quiet", "--initial-branch=main")
	s.git(ts, "config", "user.name", "Mona")
	s.git(ts, "config", "user.email", "mona@example.com")
	s.commit(ts, "Describe our infrastructure")
}

func edit(ts *testscript.TestScript, s *story, args []string) {
	path := filepath.Join(s.runner.Workspace(), filepath.FromSlash(args[0]))
	content, err := os.ReadFile(path)
	ts.Check(err)
	if !bytes.Contains(content, []byte(args[1])) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, bytes.ReplaceAll(content, []byte(args[1]), []byte(args[2])), 0o644))
}

func commitAll(ts *testscript.TestScript, s *story, args []string) {
	s.commit(ts, strings.Join(append(args, "More"), ""))
}

func checkout(ts *testscript.TestScript, s *story, args []string) {
	s.git(ts, "checkout", "--quiet", "--force", "--detach", args[0])
}

func openPullRequest(ts *testscript.TestScript, s *story, args []string) {
	p := &pull{branch: args[1], into: "main"}
	if len(args) == 3 {
		p.into = args[2]
		s.git(ts, "branch", p.into, "main")
	}
	p.base = s.git(ts, "rev-parse", p.into)
	s.pulls[number(ts, args[0])] = p
	s.git(ts, "checkout", "--quiet", "-b", p.branch)
	p.head = s.commit(ts, p.branch)
	// GitHub counts pull requests from 1.
	for n := 1; n < number(ts, args[0]); {
		n = 1 + s.github.Repository(repository).AddPullRequest(githubtest.PullRequest{})
	}
	s.github.Repository(repository).AddPullRequest(githubtest.PullRequest{Head: p.branch, HeadSHA: p.head, Base: p.into, BaseSHA: p.base})
	ts.Setenv("HEAD", p.head)
	ts.Setenv("BASE", p.base)
	s.pullRequestEvent(ts, number(ts, args[0]), "opened")
}

func push(ts *testscript.TestScript, s *story, args []string) {
	p := s.pull(ts, args[0])
	s.git(ts, "checkout", "--quiet", p.branch)
	p.head = s.commit(ts, "More")
	s.github.Repository(repository).Push(number(ts, args[0]), p.head)
	ts.Setenv("HEAD", p.head)
	s.pullRequestEvent(ts, number(ts, args[0]), "synchronize")
}

func merge(ts *testscript.TestScript, s *story, args []string) {
	p, how := s.pull(ts, args[0]), "merge"
	if len(args) == 2 {
		how = args[1]
	}
	switch how {
	case "merge":
		s.git(ts, "checkout", "--quiet", p.into)
		s.git(ts, "merge", "--quiet", "--no-ff", "--no-edit", p.branch)
	case "squash":
		s.git(ts, "checkout", "--quiet", p.into)
		s.git(ts, "merge", "--quiet", "--squash", p.branch)
		s.commit(ts, p.branch)
	case "rebase":
		// GitHub writes every commit anew, even when nothing moved.
		s.git(ts, "checkout", "--quiet", "-b", p.branch+"-rebased", p.branch)
		s.git(ts, "rebase", "--quiet", "--force-rebase", p.into)
		s.git(ts, "checkout", "--quiet", p.into)
		s.git(ts, "merge", "--quiet", "--ff-only", p.branch+"-rebased")
	default:
		ts.Fatalf("merge: choose merge, squash or rebase")
	}
	p.merged = s.git(ts, "rev-parse", "HEAD")
	ts.Setenv("MERGED", p.merged)
	s.github.Repository(repository).Merge(number(ts, args[0]), githubtest.Method(how), p.merged)
	s.pullRequestEvent(ts, number(ts, args[0]), "closed")
}

func comment(ts *testscript.TestScript, s *story, args []string) {
	s.github.Repository(repository).AddComment(number(ts, args[0]), args[1], strings.ReplaceAll(args[2], `\n`, "\n"))
}

func comments(ts *testscript.TestScript, s *story, args []string) {
	comments := s.github.Repository(repository).Comments(number(ts, args[0]))
	if len(comments) != number(ts, args[1]) {
		ts.Fatalf("#%s has %d comments", args[0], len(comments))
	}
	if len(comments) == 0 {
		return
	}
	for _, c := range comments {
		if strings.Contains(c.Body, args[2]) {
			return
		}
	}
	ts.Fatalf("no comment on #%s contains %q: %+v", args[0], args[2], comments)
}

func (s *story) pull(ts *testscript.TestScript, n string) *pull {
	p := s.pulls[number(ts, n)]
	if p == nil {
		ts.Fatalf("there is no pull request %s", n)
	}
	return p
}

func (s *story) commit(ts *testscript.TestScript, message string) string {
	s.git(ts, "add", "--all")
	s.git(ts, "commit", "--quiet", "--allow-empty", "--message", message)
	commit := s.git(ts, "rev-parse", "HEAD")
	ts.Setenv("COMMIT", commit)
	return commit
}

func (s *story) git(ts *testscript.TestScript, args ...string) string {
	cmd := exec.Command("git", append([]string{"-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = s.runner.Workspace()
	out, err := cmd.CombinedOutput()
	if err != nil {
		ts.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// copyMissing copies the files of from that to does not have.
func copyMissing(ts *testscript.TestScript, from, to string) {
	ts.Check(filepath.WalkDir(from, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if _, err := os.Stat(target); err == nil {
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	}))
}
