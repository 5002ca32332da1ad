package fingerprint

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/fingerprint/references"
	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// One random byte, added, removed or changed in one file: the digest differs
// exactly when the file counts, and the difference names that file. Undone,
// the digest is what it was.
func TestARandomEditIsSeenExactlyWhereItCounts(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, sampleFiles)
	base := configuration(t, sample(root))
	names := slices.Sorted(maps.Keys(sampleFiles))
	random := rand.New(rand.NewPCG(1, 2))
	for range 120 {
		name := names[random.IntN(len(names))]
		if strings.HasSuffix(name, ".json") && references.IsFile(name) {
			continue // a comment would make it another file
		}
		before := sampleFiles[name]
		// Behind a comment sign, so that no edit makes another module called.
		prefix := before + "\n#"
		gittest.Write(t, root, map[string]string{name: prefix + "0"})
		from := configuration(t, sample(root))
		var after string
		switch random.IntN(3) {
		case 0:
			after = prefix
		case 1:
			after = prefix + "0" + string(rune('a'+random.IntN(26)))
		case 2:
			after = prefix + string(rune('a'+random.IntN(26)))
		}
		gittest.Write(t, root, map[string]string{name: after})
		got := configuration(t, sample(root))
		counts := slices.Contains(countedOf, name)
		var want []string
		if counts {
			want = []string{"changed: " + name}
		}
		if diff := cmp.Diff(want, got.Diff(from.Files)); diff != "" || (got.Digest != from.Digest) != counts {
			t.Errorf("%s: %s", name, diff)
		}
		gittest.Write(t, root, map[string]string{name: before})
	}
	if got := configuration(t, sample(root)); got.Digest != base.Digest {
		t.Error(got.Diff(base.Files))
	}
}

// Random trees: any rename, removal or addition of a file in Git makes another
// digest, and no two of many trees have the same one.
func TestDifferentTreesHaveDifferentDigests(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	name := func() string {
		parts := []string{"a", "b", "a b", "ab", "0", "é", "x\ny", "\"", "(env)"}
		path := "c"
		for range 1 + random.IntN(2) {
			path += "/" + parts[random.IntN(len(parts))]
		}
		return path + ".txt"
	}
	seen := make(map[string]string)
	root := t.TempDir()
	for range 150 {
		files := map[string]string{"c/main.tf": ""}
		for range random.IntN(4) {
			files[name()] = []string{"", "a", "aa", "\n", "\r\n"}[random.IntN(5)]
		}
		if err := os.RemoveAll(filepath.Join(root, "c")); err != nil {
			t.Fatal(err)
		}
		gittest.Write(t, root, files)
		digest := configuration(t, inventory.Target{Root: root, Dir: "c"}).Digest
		tree := fmt.Sprintf("%q", files)
		if other, ok := seen[digest]; ok && other != tree {
			t.Errorf("one digest for\n%s\n%s", tree, other)
		}
		seen[digest] = tree
	}
	if len(seen) < 50 {
		t.Errorf("only %d trees", len(seen))
	}
}

func BenchmarkConfigurationOf2000Files(b *testing.B) {
	files := make(map[string]string)
	for i := range 2000 {
		files[fmt.Sprintf("components/a/file-%d.tf", i)] = strings.Repeat(fmt.Sprintf("resource \"terraform_data\" \"x%d\" {\n  input = \"x\"\n}\n", i), 10)
	}
	target := inventory.Target{Root: gittest.Repository(b, files), Dir: "components/a"}
	for b.Loop() {
		if _, err := Of(b.Context(), target, "terraform", "1.11.4"); err != nil {
			b.Fatal(err)
		}
	}
}
