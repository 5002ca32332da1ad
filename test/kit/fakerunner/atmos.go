package fakerunner

import (
	"bytes"
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// AtmosVariable says which version the stand-in of test/atmos plays: see [AtmosVersions]. An
// action passes it on with its environment.
const AtmosVariable = "STAND_IN_ATMOS"

// AtmosVersions are the versions that the stand-in plays; "real" if the real Atmos is on PATH.
func AtmosVersions() []string {
	if realAtmos() {
		return []string{"real"}
	}
	return []string{"1.196.0", "1.227.0"}
}

// Atmos is a folder with an Atmos CLI, for [Scripts]: the real one if it is on PATH, else the
// stand-in of test/atmos, see [program]. root is the folder of this repository.
func Atmos(t *testing.T, root string) string {
	t.Helper()
	if realAtmos() {
		path, _ := exec.LookPath("atmos")
		return filepath.Dir(path)
	}
	file, err := program(t.Context(), filepath.Join(root, "test", "atmos"), t.TempDir(), "stand-in/atmos")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(file)
}

// realAtmos reports whether the Atmos on PATH is not the stand-in.
func realAtmos() bool {
	path, err := exec.LookPath("atmos")
	if err != nil {
		return false
	}
	info, err := buildinfo.ReadFile(path)
	return err != nil || info.Path != "github.com/terraform-gitops/gitops/test/atmos"
}

// Run runs the stories in dir. A story that begins with `repo atmos` runs with each version that
// the stand-in plays, as STORY@VERSION, or once with the real Atmos if that is on PATH. The
// conditions [atmos-VERSION] and [atmos-real] are for Atmos' own messages, which may differ.
func (s Scripts) Run(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories in %s: %v", dir, err)
	}
	var others, ofAtmos []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte("\nrepo atmos")) {
			ofAtmos = append(ofAtmos, file)
		} else {
			others = append(others, file)
		}
	}
	if len(others) > 0 {
		params := s.Params(dir)
		params.Dir, params.Files = "", others
		testscript.Run(t, params)
	}
	if len(ofAtmos) == 0 {
		return
	}
	for _, version := range AtmosVersions() {
		told := s
		told.Environ = append(append([]string{}, s.Environ...), AtmosVariable+"="+version)
		params := told.Params(dir)
		params.Dir, params.Files = "", ofAtmos
		params.Condition = func(condition string) (bool, error) { return condition == "atmos-"+version, nil }
		testscript.RunT(versioned{t, version}, params)
	}
}

// versioned adds the version to the names of stories.
type versioned struct {
	*testing.T
	version string
}

func (v versioned) Run(name string, tell func(testscript.T)) {
	v.T.Run(name+"@"+v.version, func(t *testing.T) { tell(versioned{t, v.version}) })
}

func (v versioned) Verbose() bool { return testing.Verbose() }
