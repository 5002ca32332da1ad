package modules

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// moduleFiles reads the module "m", and one in it, installed in a package with these files.
func moduleFiles(t *testing.T, files, links map[string]string) Files {
	t.Helper()
	dir := t.TempDir()
	files = maps.Clone(files)
	files["../modules.json"] = `{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"local","Source":"./x","Dir":"x"},
		{"Key":"m","Source":"git::https://example.com/m.git//sub","Dir":"data/modules/m/sub"},{"Key":"m.inner","Source":"../other","Dir":"data/modules/m/other"}]}`
	for name, content := range files {
		at := filepath.Join(dir, "data/modules/m", name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, "data/modules/m", name)); err != nil {
			t.Fatal(err)
		}
	}
	found, err := ReadFiles(dir, "data", false)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAllFilesOfAnInstalledPackageCount(t *testing.T) {
	t.Parallel()
	files := map[string]string{"sub/main.tf": "", "other/main.tf": "", "scripts/run.sh": "1", "README.md": "1", ".git/HEAD": "1", "sub/.hidden": "1"}
	links := map[string]string{"sub/run.sh": "../scripts/run.sh", "sub/scripts": "../scripts", "sub/up": "..", "nowhere": "gone"}
	before := moduleFiles(t, files, links)
	want := []string{
		"module.m: README.md", "module.m: nowhere", "module.m: other/main.tf", "module.m: scripts/run.sh", "module.m: sub/.hidden",
		"module.m: sub/main.tf", "module.m: sub/run.sh", "module.m: sub/scripts", "module.m: sub/scripts/run.sh", "module.m: sub/up",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(before.Files))); diff != "" {
		t.Error(diff)
	}
	if again := moduleFiles(t, files, links); again.Digest != before.Digest {
		t.Error("the same files have another digest")
	}
	for name, same := range map[string]bool{"scripts/run.sh": false, "README.md": false, "sub/.hidden": false, "new": false, ".git/HEAD": true} {
		other := maps.Clone(files)
		other[name] = "2"
		if got := moduleFiles(t, other, links); (got.Digest == before.Digest) != same {
			t.Errorf("%s: same digest: %v", name, !same)
		}
	}
	relinked := maps.Clone(links)
	relinked["sub/run.sh"] = "../README.md" // with the same content
	if got := moduleFiles(t, files, relinked); got.Digest == before.Digest {
		t.Error("a link's text does not count")
	}
}

func TestManyFilesOfModulesAreNamedByModule(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 100 {
		files[fmt.Sprint("f", i)] = ""
	}
	m := moduleFiles(t, files, nil)
	bounded := m.Bounded(1000)
	if len(bounded) != 1 || bounded["module.m: *"] == "" {
		t.Errorf("bounded: %v", bounded)
	}
	if diff := cmp.Diff(bounded, m.As(bounded)); diff != "" {
		t.Error(diff)
	}
	if len(m.Bounded(100_000)) != 100 || len(m.As(m.Files)) != 100 {
		t.Error("they are not named one by one where there is room")
	}
}

// A source that is an absolute path is linked, not copied.
func TestALinkedPackageCounts(t *testing.T) {
	t.Parallel()
	source, dir := t.TempDir(), t.TempDir()
	for name, content := range map[string]string{filepath.Join(source, "run.sh"): "", filepath.Join(dir, ".terraform/modules/modules.json"): `{"Modules":[{"Key":"m","Source":"file://` + source + `","Dir":".terraform/modules/m"},{"Key":"gone","Source":"x/y/z","Version":"1.0.0","Dir":".terraform/modules/gone"}]}`} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(source, filepath.Join(dir, ".terraform/modules/m")); err != nil {
		t.Fatal(err)
	}
	m, err := ReadFiles(dir, "", false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"module.gone: ", "module.m: run.sh"}, slices.Sorted(maps.Keys(m.Files))); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAPlanBuildsInAModuleIsNoneOfItsFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	modules := filepath.Join(dir, ".terraform/modules")
	if err := os.MkdirAll(filepath.Join(modules, "m"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"m/main.tf", "modules.json", "m/built.zip"} {
		at, when := filepath.Join(modules, name), time.Unix(int64(1000+i), 0)
		if err := os.WriteFile(at, []byte(`{"Modules":[{"Key":"m","Source":"x/y/z","Version":"1.0.0","Dir":".terraform/modules/m"}]}`), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(at, when, when); err != nil {
			t.Fatal(err)
		}
	}
	for planned, want := range map[bool]int{false: 2, true: 1} {
		m, err := ReadFiles(dir, "", planned)
		if err != nil || len(m.Files) != want {
			t.Errorf("planned %v: %v, %v", planned, m.Files, err)
		}
	}
}
