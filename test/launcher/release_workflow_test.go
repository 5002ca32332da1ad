package launcher

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/terraform-gitops/gitops/test/kit/executable"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// gh stands in for GitHub's command line. Releases are folders in $RELEASES.
const gh = `#!/bin/sh -eu
case "$1 $2" in
"auth setup-git") ;;
"release create")
	tag=$3; shift 5 # --verify-tag --generate-notes
	git ls-remote --exit-code origin "refs/tags/$tag" >/dev/null
	mkdir "$RELEASES/$tag"; cp "$@" "$RELEASES/$tag/" ;;
"release download") mkdir -p "$5"; cp "$RELEASES/$3"/* "$5/" ;;
*) exit 1 ;;
esac
`

// releasing is a repository in which the jobs of release.yml run, one after the other. Only their
// commands run: actions that they use are skipped.
type releasing struct {
	t                      *testing.T
	origin, temp, releases string
	environ                []string
	jobs                   map[string]releaseJob
}

// releaseJob is the part of a job of release.yml that the tests read.
type releaseJob struct {
	Steps []struct{ Run string }
}

func releaseJobs(t *testing.T) map[string]releaseJob {
	t.Helper()
	workflow, err := os.ReadFile("../../.github/workflows/release.yml")
	check(t, err)
	var file struct{ Jobs map[string]releaseJob }
	check(t, yaml.Unmarshal(workflow, &file))
	return file.Jobs
}

func newReleasing(t *testing.T) *releasing {
	t.Helper()
	dir := t.TempDir()
	r := &releasing{t: t, origin: filepath.Join(dir, "origin.git"), temp: filepath.Join(dir, "temp"), releases: filepath.Join(dir, "releases")}
	main, bin := filepath.Join(dir, "main"), filepath.Join(dir, "bin")
	for _, folder := range []string{r.temp, r.releases, bin} {
		check(t, os.Mkdir(folder, 0o755))
	}
	check(t, executable.Write(filepath.Join(bin, "gh"), gh))
	r.environ = append(os.Environ(), "VERSION=v1.2.3", "RUNNER_TEMP="+r.temp, "RELEASES="+r.releases,
		"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "MAKEFLAGS=ACTIONS=apply PLATFORMS=linux/amd64")
	for _, part := range []string{"actions/apply", "shared"} {
		check(t, os.CopyFS(filepath.Join(main, part), fakerunner.Sources(filepath.Join("../..", part))))
	}
	makefile, err := os.ReadFile("../../Makefile")
	check(t, err)
	check(t, os.WriteFile(filepath.Join(main, "Makefile"), makefile, 0o644))
	// With this threshold Git puts the files into one pack. Each clone would copy each of them else.
	r.bash(main, `git init --quiet --initial-branch main && git -c core.bigFileThreshold=1 add . &&
		git -c user.name=us -c user.email=us@example.com commit --quiet --message main &&
		git clone --quiet --bare . "`+r.origin+`"`)
	r.jobs = releaseJobs(t)
	return r
}

// job runs a job's commands in a new checkout.
func (r *releasing) job(name, ref string) (printed string, err error) {
	r.t.Helper()
	checkout := filepath.Join(r.t.TempDir(), name)
	r.bash(r.temp, `git clone --quiet --branch "`+ref+`" "`+r.origin+`" "`+checkout+`" 2>/dev/null`)
	for _, step := range r.jobs[name].Steps {
		if step.Run == "" || err != nil {
			continue
		}
		cmd := exec.CommandContext(r.t.Context(), "bash", "-eo", "pipefail", "-c", step.Run)
		cmd.Dir, cmd.Env = checkout, r.environ
		var out []byte
		out, err = cmd.CombinedOutput()
		printed += string(out)
	}
	return printed, err
}

func (r *releasing) must(name, ref string) {
	r.t.Helper()
	if printed, err := r.job(name, ref); err != nil {
		r.t.Fatalf("the job %s: %v\n%s", name, err, printed)
	}
}

func (r *releasing) bash(dir, script string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "bash", "-c", script)
	cmd.Dir, cmd.Env = dir, r.environ
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestAReleaseNamesTheBitsOfItsOwnSources runs release.yml. v1 moves to a commit with the checksums of
// its own build, and only if the release's files are those of that build. The same files are built elsewhere.
func TestAReleaseNamesTheBitsOfItsOwnSources(t *testing.T) {
	t.Parallel()
	r := newReleasing(t)
	r.must("build", "main")
	wantSameBits(t, readFiles(t, filepath.Join(r.temp, "release")), release(t))
	r.must("publish", "main")

	binary := filepath.Join(r.releases, "v1.2.3", "apply_linux_amd64")
	right, err := os.ReadFile(binary)
	check(t, err)
	check(t, os.WriteFile(binary, append(right, 0), 0o755))
	if printed, err := r.job("verify", "v1.2.3"); err == nil || !strings.Contains(printed, "apply_linux_amd64 differ") {
		t.Fatalf("verify of a changed asset: %v\n%s", err, printed)
	}

	check(t, os.RemoveAll(filepath.Join(r.temp, "rebuilt")))
	check(t, os.RemoveAll(filepath.Join(r.temp, "uploaded")))
	check(t, os.WriteFile(binary, right, 0o755))
	r.must("verify", "v1.2.3")
	r.must("move", "v1.2.3")
	commits := strings.Fields(r.bash(r.origin, "git rev-parse v1 v1.2.3 v1^ main"))
	if commits[0] != commits[1] || commits[2] != commits[3] {
		t.Errorf("v1, v1.2.3, the commit before v1, and main are %q", commits)
	}
	if changed := r.bash(r.origin, "git diff --name-only main v1"); changed != "actions/checksums.txt" {
		t.Errorf("between main and v1 differ: %s", changed)
	}
	published, err := os.ReadFile(filepath.Join(r.releases, "v1.2.3", "checksums.txt"))
	check(t, err)
	if held := r.bash(r.origin, "git show v1:actions/checksums.txt"); held != strings.TrimSpace(string(published)) {
		t.Errorf("v1 holds\n%s\nand the release\n%s", held, published)
	}
}
