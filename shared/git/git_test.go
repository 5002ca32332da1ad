package git_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/test/kit/executable"
)

// repository is one with two commits, a file that is edited since, and one with a filter.
func repository(t *testing.T) (root, first, second string) {
	t.Helper()
	root = gittest.Repository(t, map[string]string{"a": "1", "b": "1", ".gitattributes": "b filter=upper\n"})
	first = revision(t, root)
	gittest.Write(t, root, map[string]string{"a": "2"})
	gittest.Run(t, root, "commit", "-q", "-a", "-m", "second")
	gittest.Write(t, root, map[string]string{"a": "3"})
	return root, first, revision(t, root)
}

func revision(t *testing.T, root string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "-C", root, "rev-parse", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// answers is what all that asks says of the repository, and an environment.
func answers(t *testing.T, root, first, second string) (all []any) {
	t.Helper()
	add := func(answer any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		all = append(all, answer)
	}
	add(git.ReadHead(t.Context(), root))
	add(git.MergeBase(t.Context(), root, first, second))
	is, known, err := git.IsAncestor(t.Context(), root, first, second)
	add([]bool{is, known}, err)
	add(git.FirstParents(t.Context(), root, first, second, 50))
	add(git.Changed(t.Context(), root, first))
	add(git.Has(t.Context(), root, first))
	add(git.Modified(t.Context(), root, os.Environ()))
	add(git.Attributes(t.Context(), root, []string{"a", "b"}, []string{"filter", "eol"}, os.Environ()))
	index, err := new(git.Tracked).Index(t.Context(), root)
	add(index, err)
	into := t.TempDir()
	add("checked out", git.CheckOut(t.Context(), root, first, into))
	content, err := os.ReadFile(filepath.Join(into, "a"))
	add(string(content), err)
	return all
}

func TestAnswersAreThoseOfTheRepository(t *testing.T) {
	root, first, second := repository(t)
	head, err := git.ReadHead(t.Context(), root)
	if err != nil || head.Commit != second || !slices.Equal(head.Parents, []string{first}) || head.Committed.IsZero() {
		t.Errorf("%+v, %v", head, err)
	}
	got := answers(t, root, first, second)
	want := []any{first, []bool{true, true}, []string{second}, []string{"a"}, true, []string{"a"}, []git.Attribute{{File: "b", Name: "filter", Value: "upper"}}}
	if diff := cmp.Diff(want, got[1:8]); diff != "" {
		t.Error(diff)
	}
	if got[10] != "1" {
		t.Errorf("checked out %q", got[10])
	}
}

// Whatever the environment, the user's configuration and the repository's own say: the
// answers stay what they are, and no program of theirs runs.
func TestNothingElseHasASay(t *testing.T) {
	root, first, second := repository(t)
	want := answers(t, root, first, second)
	other := gittest.Repository(t, map[string]string{"x": "x"})
	traces := t.TempDir()
	program := filepath.Join(t.TempDir(), "program")
	if err := executable.Write(program, "#!/bin/sh\ntouch "+traces+"/\"$(basename \"$0\")-ran\"\nexit 0\n"); err != nil {
		t.Fatal(err)
	}

	for name, value := range map[string]string{
		"GIT_DIR": filepath.Join(other, ".git"), "GIT_WORK_TREE": other, "GIT_INDEX_FILE": "/nowhere", "GIT_OBJECT_DIRECTORY": "/nowhere", "GIT_NAMESPACE": "x", "GIT_CEILING_DIRECTORIES": "/",
		"GIT_EXTERNAL_DIFF": program, "GIT_PAGER": program, "GIT_EDITOR": program, "GIT_EXEC_PATH": "/nowhere", "GIT_TEMPLATE_DIR": other, "GIT_TRACE": filepath.Join(traces, "trace"), "GIT_REPLACE_REF_BASE": "refs/x", "GIT_LITERAL_PATHSPECS": "1", "GIT_ATTR_SOURCE": first,
		"LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de",
	} {
		t.Setenv(name, value)
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	gittest.Write(t, home, map[string]string{
		".gitconfig": "[core]\n\thooksPath = " + filepath.Dir(program) + "\n\tfsmonitor = " + program + "\n\tquotePath = true\n\tpager = " + program + "\n[diff]\n\texternal = " + program + "\n\trelative = true\n\tnoprefix = true\n[color]\n\tui = always\n[alias]\n\tdiff = !" + program + "\n",
	})
	hooks := filepath.Join(root, ".git", "hooks")
	if err := os.MkdirAll(hooks, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, hook := range []string{"post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"} {
		if err := os.Symlink(program, filepath.Join(hooks, hook)); err != nil {
			t.Fatal(err)
		}
	}
	config, err := os.OpenFile(filepath.Join(root, ".git", "config"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.WriteString("[core]\n\tfsmonitor = " + program + "\n[diff]\n\texternal = " + program + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := config.Close(); err != nil {
		t.Fatal(err)
	}
	// A commit that stands for another one.
	replaced := filepath.Join(root, ".git", "refs", "replace")
	gittest.Write(t, replaced, map[string]string{second: first + "\n"})

	if diff := cmp.Diff(want, answers(t, root, first, second)); diff != "" {
		t.Error(diff)
	}
	if ran, err := os.ReadDir(traces); err != nil || len(ran) > 0 {
		t.Errorf("%v, %v", ran, err)
	}
}

// Git LFS, say, is configured for the user, and its filter is a program on PATH.
func TestAFilterOfTheUserIsUndone(t *testing.T) {
	root, _, _ := repository(t)
	home := t.TempDir()
	gittest.Write(t, home, map[string]string{".gitconfig": "[filter \"upper\"]\n\tclean = \"env >" + home + "/seen && tr 2 1\"\n"})
	gittest.Write(t, root, map[string]string{"b": "2"})
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("ACTIONS_SECRET", "the-secret")
	for _, x := range []struct {
		environ []string
		want    []string
	}{{os.Environ(), []string{"a"}}, {[]string{"PATH=" + os.Getenv("PATH")}, []string{"a", "b"}}} {
		gittest.Write(t, root, map[string]string{"b": "2"}) // again: Git remembers which files are not modified
		if got, err := git.Modified(t.Context(), root, x.environ); err != nil || !slices.Equal(got, x.want) {
			t.Errorf("%v, %v, want %v", got, err, x.want)
		}
	}
	if seen, err := os.ReadFile(filepath.Join(home, "seen")); err != nil || strings.Contains(string(seen), "the-secret") {
		t.Errorf("the filter saw %s, %v", seen, err)
	}
}

func TestAnErrorIsOneLineWithGitsWords(t *testing.T) {
	t.Parallel()
	root, _, _ := repository(t)
	if err := os.WriteFile(filepath.Join(root, ".git", "index"), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := git.Modified(t.Context(), root, os.Environ())
	if err == nil || !strings.HasPrefix(err.Error(), "git diff: exit status ") || !strings.Contains(err.Error(), "index file") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if _, err := git.ReadHead(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a git repository") {
		t.Errorf("%v", err)
	}
}

func TestACommitIsFetchedIntoTheRepositoryOfTheFolder(t *testing.T) {
	origin, first, _ := repository(t)
	root := gittest.Repository(t, map[string]string{"x": "x"})
	gittest.Run(t, root, "remote", "add", "origin", "mirror:"+origin)
	other := gittest.Repository(t, map[string]string{"x": "x"})
	for name, value := range map[string]string{
		"GIT_DIR": filepath.Join(other, ".git"), "GIT_WORK_TREE": other, "GIT_OBJECT_DIRECTORY": filepath.Join(other, ".git", "objects"), "GIT_SSH_COMMAND": "false", "GIT_EXEC_PATH": "/nowhere",
		"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "url." + origin + ".insteadOf", "GIT_CONFIG_VALUE_0": "mirror:" + origin,
	} {
		t.Setenv(name, value)
	}
	if err := git.Fetch(t.Context(), root, first, os.Environ()); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]bool{root: true, other: false} {
		if has, err := git.Has(t.Context(), folder, first); err != nil || has != want {
			t.Errorf("%t, %v, want %t", has, err, want)
		}
	}
}

func TestAFetchStartsNoMaintenance(t *testing.T) {
	origin, first, _ := repository(t)
	root, home := gittest.Repository(t, map[string]string{"x": "x"}), t.TempDir()
	gittest.Run(t, root, "remote", "add", "origin", origin)
	gittest.Write(t, home, map[string]string{".gitconfig": "[trace2]\n\teventTarget = " + home + "/trace\n"})
	if err := git.Fetch(t.Context(), root, first, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}); err != nil {
		t.Fatal(err)
	}
	trace, err := os.ReadFile(filepath.Join(home, "trace"))
	if err != nil || !strings.Contains(string(trace), `"fetch"`) || strings.Contains(string(trace), `"maintenance"`) {
		t.Errorf("%v, %s", err, trace)
	}
}
