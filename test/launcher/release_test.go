package launcher

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// wantSameBits compares releases of two folders. Reproducible builds let anybody check actions/checksums.txt
// against the sources.
func wantSameBits(t *testing.T, builds ...map[string][]byte) {
	t.Helper()
	for _, file := range []string{"apply_linux_amd64", "apply.cdx.json", "checksums.txt"} {
		if len(builds[0][file]) == 0 || !bytes.Equal(builds[0][file], builds[1][file]) {
			t.Errorf("%s of two builds: %d and %d bytes, not the same", file, len(builds[0][file]), len(builds[1][file]))
		}
	}
	if list := string(builds[0]["checksums.txt"]); !strings.HasPrefix(list, "# v1.2.3\n") {
		t.Errorf("checksums.txt does not name the release:\n%s", list)
	}
	var sbom struct {
		Components []struct{ Name, Version string }
	}
	check(t, json.Unmarshal(builds[0]["apply.cdx.json"], &sbom))
	listed := false
	for _, component := range sbom.Components {
		listed = listed || component.Name == "github.com/aws/aws-sdk-go-v2/service/s3" && component.Version != ""
	}
	if !listed {
		t.Errorf("the SBOM does not list the S3 client: %v", sbom.Components)
	}
}

// With another version of Go, the binaries would differ.
func TestTheWorkflowBuildsWithTheGoOfMakeRelease(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	check(t, err)
	workflow, err := os.ReadFile("../../.github/workflows/release.yml")
	check(t, err)
	want := regexp.MustCompile(`(?m)^RELEASE_GO +:= go(\S+)$`).FindSubmatch(makefile)
	got := regexp.MustCompile(`go-version: (\S+)`).FindAllSubmatch(workflow, -1)
	if want == nil || len(got) != 2 {
		t.Fatalf("RELEASE_GO is %q, and release.yml has %d versions, want 2", want, len(got))
	}
	for _, version := range got {
		if string(version[1]) != string(want[1]) {
			t.Errorf("release.yml builds with Go %s, the Makefile with %s", version[1], want[1])
		}
	}
}

// release makes a release in a copy of this repository, and returns its files.
func release(t *testing.T) map[string][]byte {
	t.Helper()
	copied, out := filepath.Join(t.TempDir(), "elsewhere"), filepath.Join(t.TempDir(), "out")
	for _, part := range []string{"actions/apply", "shared"} {
		check(t, os.CopyFS(filepath.Join(copied, part), fakerunner.Sources(filepath.Join("../..", part))))
	}
	makefile, err := os.ReadFile("../../Makefile")
	check(t, err)
	check(t, os.WriteFile(filepath.Join(copied, "Makefile"), makefile, 0o644))
	cmd := exec.CommandContext(t.Context(), "make", "-C", copied, "release",
		"VERSION=v1.2.3", "OUT="+out, "ACTIONS=apply", "PLATFORMS=linux/amd64")
	if printed, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make release: %v\n%s", err, printed)
	}
	check(t, exec.CommandContext(t.Context(), "sh", "-c", `cd "$1" && sha256sum --check --strict --quiet checksums.txt`, "sh", out).Run())
	return readFiles(t, out)
}

func readFiles(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	entries, err := os.ReadDir(folder)
	check(t, err)
	for _, entry := range entries {
		files[entry.Name()], err = os.ReadFile(filepath.Join(folder, entry.Name()))
		check(t, err)
	}
	return files
}
