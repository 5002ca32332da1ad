package gitops

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
)

// Git writes another content into the workspace than it keeps, by a filter that the base
// is checked out without.
func TestFilesThatGitConvertsAreComparedByTheirIDs(t *testing.T) {
	t.Parallel()
	files := threeComponentFiles()
	files[".gitattributes"], files["components/dns/app.zip"], files["components/dns/x.txt"] = "*.zip filter=upper\n*.txt eol=crlf\n", "POINTER", "a\nb\n"
	base := loaded(t, gittest.Repository(t, files))
	smudged := func(changed map[string]string) *Config {
		with := maps.Clone(files)
		maps.Copy(with, changed)
		root := gittest.Repository(t, with)
		gittest.Run(t, root, "config", "filter.upper.smudge", "sed s/POINTER/CONTENT/")
		gittest.Run(t, root, "config", "filter.upper.clean", "sed s/CONTENT/POINTER/")
		for _, name := range []string{"components/dns/app.zip", "components/dns/x.txt"} {
			if err := os.Remove(filepath.Join(root, name)); err != nil {
				t.Fatal(err)
			}
		}
		gittest.Run(t, root, "checkout", "--", ".")
		if content, _ := os.ReadFile(filepath.Join(root, "components/dns/app.zip")); !strings.HasPrefix(string(content), "CONTENT") {
			t.Fatalf("%s", content)
		}
		return loaded(t, root)
	}
	for want, head := range map[string]*Config{
		"":        smudged(nil),
		"app.zip": smudged(map[string]string{"components/dns/app.zip": "POINTER2"}),
		"x.txt":   smudged(map[string]string{".gitattributes": "*.zip filter=upper\n"}),
	} {
		changes, err := Affected(t.Context(), base, head, os.Environ())
		if err != nil {
			t.Fatal(err)
		}
		if (want == "") != (len(changes) == 0) || want != "" && !strings.Contains(strings.Join(changes[0].Why, " "), want) {
			t.Errorf("%s: %v", want, changes)
		}
	}
	edited := smudged(nil)
	gittest.Write(t, edited.checkout.Root, map[string]string{"components/dns/app.zip": "CONTENT, edited"})
	if changes, err := Affected(t.Context(), base, edited, os.Environ()); err != nil || len(changes) != 1 {
		t.Errorf("edited: %v, %v", changes, err)
	}
}
