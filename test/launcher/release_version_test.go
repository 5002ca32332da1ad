package launcher

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// noVersions are wrong values for a release's version. If Make or a shell expands one of them, it
// creates the file "owned" in the working directory.
var noVersions = []string{
	"",
	"1.2.3", "v1.2", "v1.2.3.4", "v1.2.3-rc.1", "v01.2.3", "v1..3", "vv1.2.3", "v1.2.3v", "v 1.2.3", "v1.2.3 ", "v1.2.3\n", "v1.2.3\nv1.2.3",
	"$(shell touch owned)", "${shell touch owned}", "v1.2.3$(shell touch owned)", "v$(shell touch owned)1.2.3", "$(eval $(shell touch owned))",
	"$(file >owned)", "v1.2.3$(file >owned)", "$(info x)v1.2.3",
	"$$(touch owned)", "v1.2.3$$(touch owned)", "v1.2.3`touch owned`", "`touch owned`",
	`v1.2.3"; touch owned; "`, "v1.2.3'; touch owned; '", "v1.2.3; touch owned", "v1.2.3 && touch owned", "v1.2.3 | touch owned", "v1.2.3\ntouch owned", "v1.2.3\n\ttouch owned #",
	"v1.2.3 --eval=$(shell touch owned)", "v1.2.3\\", "v1.2.3#", "v1.2.*", "v$v.2.3", "v1.2.3)", "v1.2.3,", "v٣.2.3", "-v1.2.3", "a[$(touch owned)]",
}

// ways are the ways in which a value reaches make. MAKEFLAGS comes from an outer make, which doubles
// dollars and escapes blanks with a backslash.
var ways = map[string]func(cmd *exec.Cmd, variable, value string){
	"argument":    func(cmd *exec.Cmd, variable, value string) { cmd.Args = append(cmd.Args, variable+"="+value) },
	"environment": func(cmd *exec.Cmd, variable, value string) { cmd.Env = append(cmd.Env, variable+"="+value) },
	"MAKEFLAGS": func(cmd *exec.Cmd, variable, value string) {
		quoted := strings.NewReplacer("$", "$$", `\`, `\\`, " ", `\ `, "\t", "\\\t", "\n", "\\\n").Replace(value)
		cmd.Env = append(cmd.Env, "MAKEFLAGS= -- "+variable+"="+quoted)
	},
}

// TestAReleasesVersionIsNotExpanded gives make release versions that are none.
func TestAReleasesVersionIsNotExpanded(t *testing.T) {
	t.Parallel()
	for way, give := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			for _, version := range noVersions {
				wantRefused(t, "VERSION="+version, func(cmd *exec.Cmd) {
					cmd.Args = append(cmd.Args, "OUT=out")
					give(cmd, "VERSION", version)
				})
			}
			for _, out := range []string{"", "$(shell touch owned)", "o$$(touch owned)", "out/${file >owned}", "$v"} {
				wantRefused(t, "OUT="+out, func(cmd *exec.Cmd) {
					cmd.Args = append(cmd.Args, "VERSION=v1.2.3")
					give(cmd, "OUT", out)
				})
			}
		})
	}
}

func wantRefused(t *testing.T, what string, give func(*exec.Cmd)) {
	t.Helper()
	dir := t.TempDir()
	makefile, err := os.ReadFile("../../Makefile")
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "Makefile"), makefile, 0o644))
	cmd := exec.CommandContext(t.Context(), "make", "release")
	cmd.Dir, cmd.Env = dir, withoutMake()
	give(cmd)
	printed, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(printed), "usage: make release VERSION=v1.2.3 OUT=folder") {
		t.Errorf("%q: error %v, want the usage:\n%s", what, err, printed)
	}
	wantAlone(t, dir, what, "Makefile")
}

// withoutMake returns this process' environment without the variables that a make around it has set.
func withoutMake() (environ []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "MAKE") && !strings.HasPrefix(v, "MFLAGS=") && !strings.HasPrefix(v, "VERSION=") && !strings.HasPrefix(v, "OUT=") {
			environ = append(environ, v)
		}
	}
	return environ
}

// wantAlone checks that a folder holds these files and nothing else.
func wantAlone(t *testing.T, dir, what string, files ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if strings.Join(names, " ") != strings.Join(files, " ") {
		t.Errorf("%q: the folder holds %q, want %q", what, names, files)
	}
}

// TestTheWorkflowJudgesTheVersionFirst runs the first job of release.yml with wrong versions, which it
// gets as the workflow's input in the environment. Only the first step must run.
func TestTheWorkflowJudgesTheVersionFirst(t *testing.T) {
	t.Parallel()
	steps := releaseJobs(t)["build"].Steps
	if len(steps) < 2 || steps[0].Run == "" || strings.Contains(steps[0].Run, "make") {
		t.Fatalf("the first step is %+v, want one that judges the version", steps[0])
	}
	for _, version := range append([]string{"v1.2.3", "v0.10.200", " v1.2.3"}, noVersions...) {
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps[0].Run)
		cmd.Dir, cmd.Env = dir, append(withoutMake(), "VERSION="+version)
		printed, err := cmd.CombinedOutput()
		if good := version == "v1.2.3" || version == "v0.10.200"; good != (err == nil) {
			t.Errorf("%q: error %v\n%s", version, err, printed)
		}
		wantAlone(t, dir, version)
	}
}
