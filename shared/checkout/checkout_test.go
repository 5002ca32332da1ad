package checkout_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/git/gittest"
)

func TestNothingLeadsOutOfTheCheckout(t *testing.T) {
	t.Parallel()
	outside, root := t.TempDir(), t.TempDir()
	gittest.Write(t, outside, map[string]string{"secret": "x"})
	gittest.Write(t, root, map[string]string{"a/file": "12345", "b/x": ""})
	for link, to := range map[string]string{
		"absolute": filepath.Join(outside, "secret"), "folder": outside, "up": "../", "inside": "a/file", "nowhere": "c", "self": "self",
	} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := checkout.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a/file": "12345", "inside": "12345", "./a/../a/file": "12345"} {
		if content, err := tree.ReadFile(name, 5); err != nil || string(content) != want {
			t.Errorf("%s: %q, %v", name, content, err)
		}
	}
	for _, name := range []string{"absolute", "folder/secret", "up", "../" + filepath.Base(outside) + "/secret", filepath.Join(outside, "secret"), "self", "a/file/x", ""} {
		if content, err := tree.ReadFile(name, 100); err == nil {
			t.Errorf("%s: %q", name, content)
		}
	}
	if _, err := tree.ReadFile("a/file", 4); err == nil {
		t.Error("a file beyond the limit was read")
	}
	if _, err := tree.ReadFile("a", 4); !errors.Is(err, checkout.ErrNotAFile) {
		t.Errorf("a folder: %v", err)
	}
	for _, name := range []string{"nowhere", "c"} {
		if _, _, err := tree.Resolve(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPathOfAPersonIsMadeRelative(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	tree, err := checkout.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"a/./b": "a/b", ".": ".", filepath.Join(link, "a"): "a", filepath.Join(root, "a"): "a",
		"../a": "", "/etc/passwd": "", root + "x/a": "",
	} {
		if got, err := tree.Name(path); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
}
