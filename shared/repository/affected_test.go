package repository_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

const twoComponents = `
components:
  cluster: {depends-on: [network]}
  network:
stacks:
  dev:
`

// origin is a repository with a branch, and with GitHub's merge of that branch into main. main
// got commits after the branch was created.
type origin struct {
	t                            *testing.T
	dir                          string
	left, main, head, mergeOfAll string
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	o := &origin{t: t, dir: t.TempDir()}
	o.git("init", "--quiet", "--initial-branch=main")
	o.left = o.commit(map[string]string{
		"gitops.yaml": twoComponents, "components/network/main.tf": "# 1", "components/cluster/main.tf": "# 1",
	})
	o.main = o.commit(map[string]string{"components/cluster/main.tf": "# 2"})
	o.git("checkout", "--quiet", "-b", "change", o.left)
	o.head = o.commit(map[string]string{"components/network/main.tf": "# 2"})
	o.git("checkout", "--quiet", "-b", "merge", o.main)
	o.git("merge", "--quiet", "--no-ff", "-m", "Merge", o.head)
	o.mergeOfAll = o.git("rev-parse", "HEAD")
	return o
}

func (o *origin) git(args ...string) string {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	cmd.Dir = o.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		o.t.Fatalf("git %s: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (o *origin) commit(files map[string]string) string {
	o.t.Helper()
	for name, content := range files {
		file := filepath.Join(o.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			o.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			o.t.Fatal(err)
		}
	}
	o.git("add", "--all")
	o.git("commit", "--quiet", "-m", "x")
	return o.git("rev-parse", "HEAD")
}

// workspace is a clone of a branch in a job. temp is the job's RUNNER_TEMP.
type workspace struct {
	*repository.Repository
	origin *origin // as seen from the clone
	temp   string
	log    *bytes.Buffer
}

func (o *origin) clone(branch string, in repository.Inputs, flags ...string) workspace {
	o.t.Helper()
	w := workspace{temp: o.t.TempDir(), log: &bytes.Buffer{}}
	dir := filepath.Join(o.t.TempDir(), "workspace")
	o.git(append(append([]string{"clone", "--quiet", "--branch", branch}, flags...), "file://"+o.dir, dir)...)
	w.origin = &origin{t: o.t, dir: dir}
	w.Repository = open(o.t, dir, w.temp, in, w.log)
	return w
}

func open(t *testing.T, dir, temp string, in repository.Inputs, log io.Writer, environ ...string) *repository.Repository {
	t.Helper()
	environ = append([]string{"PATH=" + os.Getenv("PATH"), "GITHUB_WORKSPACE=" + dir, "GITHUB_REPOSITORY=acme/infra", "GITHUB_RUN_ID=7", "RUNNER_TEMP=" + temp}, environ...)
	rp, err := repository.Open(t.Context(), gha.New(environ, log), environ, in)
	if err != nil {
		t.Fatal(err)
	}
	return rp
}

func (w workspace) affected(base string, dependents bool) string {
	w.origin.t.Helper()
	changes, err := w.Affected(w.origin.t.Context(), base, dependents)
	if err != nil {
		return "error: " + err.Error()
	}
	var lines []string
	for _, c := range changes {
		lines = append(lines, fmt.Sprintf("%s: %s", c.Name, strings.Join(c.Why, ", ")))
	}
	return strings.Join(lines, "\n")
}

func TestAffectedLeavesTheJobAsItWas(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	for name, w := range map[string]workspace{
		"all of its history": o.clone("merge", repository.Inputs{}),
		"the merge alone":    o.clone("merge", repository.Inputs{}, "--depth=1"),
	} {
		if got, want := w.affected(o.main, false), "network in dev: changed: components/network/main.tf"; got != want {
			t.Errorf("%s: %s", name, got)
		}
		if left, err := os.ReadDir(w.temp); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v %v", name, left, err)
		}
		if got := w.origin.git("rev-parse", "HEAD"); got != o.mergeOfAll {
			t.Errorf("%s: HEAD is %s", name, got)
		}
		if got := w.origin.git("status", "--porcelain"); got != "" {
			t.Errorf("%s: git status: %s", name, got)
		}
		if _, err := os.Stat(filepath.Join(w.origin.dir, ".git", "FETCH_HEAD")); err == nil {
			t.Errorf("%s: FETCH_HEAD is another", name)
		}
		// The base is in the workspace now, so nothing has to be fetched from origin.
		w.origin.git("remote", "remove", "origin")
		if got, want := w.affected(o.main, true), "cluster in dev: depends on network in dev\nnetwork in dev: changed: components/network/main.tf"; got != want {
			t.Errorf("%s: with dependents: %s", name, got)
		}
	}
}

func TestAffectedWhereTheBaseCannotBeHad(t *testing.T) {
	t.Parallel()
	w := newOrigin(t).clone("merge", repository.Inputs{}, "--depth=1")
	got := w.affected(strings.Repeat("ab", 20), false)
	if !strings.HasPrefix(got, "error: the workspace does not have commit abababa,") || !strings.Contains(got, "`fetch-depth: 0`") || strings.Contains(got, "\n") {
		t.Error(got)
	}
	if got := w.affected("main", false); got != `error: compare with commit "main": give a full commit SHA` {
		t.Error(got)
	}
}

func TestAffectedWhereTheBaseHasNoTargets(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	const all = "cluster in dev: new\nnetwork in dev: new"
	o.git("checkout", "--quiet", "main")
	broken := o.commit(map[string]string{"gitops.yaml": "component: {}\n"})
	o.git("rm", "--quiet", "gitops.yaml")
	none := o.commit(nil)
	w := o.clone("merge", repository.Inputs{Config: "gitops.yaml"})
	for _, base := range []string{none, strings.Repeat("0", 40)} {
		if got := w.affected(base, true); got != all || w.log.Len() > 0 {
			t.Errorf("%s: %s\n%s", base, got, w.log)
		}
	}
	if got := w.affected(broken, true); got != all || !strings.Contains(w.log.String(), "::notice::") || !strings.Contains(w.log.String(), "gitops.yaml:1:1: ") {
		t.Errorf("%s\n%s", got, w.log)
	}
}

func TestTheBaseOfAPullRequest(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	base := func(w workspace) string {
		t.Helper()
		commit, err := w.BaseOf(t.Context(), o.head, o.main)
		if err != nil {
			return err.Error()
		}
		return commit
	}
	if got := base(o.clone("merge", repository.Inputs{}, "--depth=1")); got != o.main {
		t.Errorf("of a merge: %s, want main's %s", got, o.main)
	}
	if got := base(o.clone("change", repository.Inputs{})); got != o.left {
		t.Errorf("of the head: %s, want %s, where it left main", got, o.left)
	}
	if got := base(o.clone("change", repository.Inputs{}, "--depth=1")); !strings.Contains(got, "check out with `fetch-depth: 0`") {
		t.Errorf("of the head without history: %s", got)
	}
}

func TestAffectedOfAtmos(t *testing.T) {
	t.Setenv("PATH", fakerunner.Atmos(t, "../..")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	o := &origin{t: t, dir: t.TempDir()}
	o.git("init", "--quiet", "--initial-branch=main")
	before := o.commit(map[string]string{"README.md": "x"})
	if err := os.CopyFS(o.dir, os.DirFS("../../test/atmos/testdata/sample")); err != nil {
		t.Fatal(err)
	}
	base := o.commit(nil)
	o.commit(map[string]string{"stacks/catalog/network.yaml": strings.ReplaceAll(read(t, o.dir, "stacks/catalog/network.yaml"), "vars: {", "vars: { more: 1,")})
	w := o.clone("main", repository.Inputs{}, "--depth=1")
	const changed = "network in acme-ue2-dev: changed: vars\nnetwork in acme-ue2-prod: changed: vars"
	if got := w.affected(base, false); got != changed {
		t.Error(got)
	}
	if got := w.affected(base, true); strings.Count(got, ": depends on network in ") != 4 {
		t.Errorf("with dependents: %s", got)
	}
	for _, base := range []string{before, strings.Repeat("0", 40)} {
		if got := w.affected(base, false); strings.Count(got, ": new") != 6 || strings.Count(got, "\n") != 5 {
			t.Errorf("from %s: %s", base, got)
		}
	}
	if left, err := os.ReadDir(w.temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	w.origin.commit(map[string]string{"stacks/catalog/network.yaml": "components: ["})
	w.Repository = open(t, w.origin.dir, w.temp, repository.Inputs{}, w.log)
	if got := w.affected(base, false); !strings.HasPrefix(got, "error: Atmos can't describe the stacks: ") || !strings.Contains(w.log.String(), "::group::atmos describe stacks") {
		t.Errorf("broken stacks: %s\n%s", got, w.log)
	}
}

func read(t *testing.T, dir, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
