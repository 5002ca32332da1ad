package fakerunner

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

func repo(ts *testscript.TestScript, s *story, args []string) {
	sample, network := filepath.Join("test", "sample"), filepath.Join("components", "network")
	if len(args) > 0 {
		sample, network = filepath.Join("test", "atmos", "testdata", "sample"), filepath.Join("components", "terraform", "network")
		switch strings.Join(args, " ") {
		case "atmos":
		case "atmos team":
			sample, network = filepath.Join("test", "atmos", "testdata", "team"), filepath.Join(network, "vpc")
		default:
			ts.Fatalf("usage: repo [atmos [team]]")
		}
		ts.Setenv("PATH", s.Atmos+string(filepath.ListSeparator)+ts.Getenv("PATH"))
	}
	copyMissing(ts, filepath.Join(s.Root, sample), s.runner.Workspace())
	ts.Check(os.WriteFile(filepath.Join(s.runner.Workspace(), network, "credential.tf"), []byte(credentialModule), 0o644))
	s.git(ts, "init", "--quiet", "--initial-branch=main")
	config, err := os.OpenFile(filepath.Join(s.runner.Workspace(), ".git", "config"), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = config.WriteString("[user]\n\tname = Mona\n\temail = mona@example.com\n")
	ts.Check(errors.Join(err, config.Close()))
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
	s.mergeTrial(ts, args[0])
	detach := "--detach"
	if s.git(ts, "branch", "--list", args[0]) != "" {
		detach = "--no-guess" // of nothing: a branch stays checked out as one
	}
	s.git(ts, "checkout", "--quiet", "--force", detach, args[0])
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

func (s *story) commit(ts *testscript.TestScript, message string) string {
	s.git(ts, "add", "--all")
	s.git(ts, "commit", "--quiet", "--allow-empty", "--message", message)
	commit := s.head(ts)
	ts.Setenv("COMMIT", commit)
	return commit
}

// head is the commit that is checked out.
func (s *story) head(ts *testscript.TestScript) string {
	folder := filepath.Join(s.runner.Workspace(), ".git")
	name := "HEAD"
	for range 2 { // a branch, and its commit, which needs no process of Git
		content, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
		if err != nil {
			break
		}
		line := strings.TrimSpace(string(content))
		ref, is := strings.CutPrefix(line, "ref: ")
		if !is {
			return line
		}
		name = ref
	}
	return s.git(ts, "rev-parse", "HEAD")
}

func (s *story) git(ts *testscript.TestScript, args ...string) string {
	cmd := exec.Command("git", append([]string{"-c", "commit.gpgsign=false", "-c", "maintenance.auto=false"}, args...)...)
	cmd.Dir = s.runner.Workspace()
	out, err := cmd.CombinedOutput()
	if err != nil {
		ts.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// copyMissing copies the files of from that are missing in to.
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
