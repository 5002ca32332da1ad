package planstore

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/planstore/storetest"
)

// awkward are names that people use, that try to leave their folder, or that look like other
// names.
var awkward = append(storetest.AwkwardNames, escape(strings.Repeat("a", 200)), escape("A"), escape("a/b"))

func TestEscapedName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"network":        "network",
		"plat-ue2_dev.1": "plat-ue2_dev.1",
		"Network/VPC":    "!network%2F!v!p!c",
		"..":             "%2E%2E",
		".a.b.":          "%2Ea.b%2E",
		"a#b%c~d!e":      "a%23b%25c%7Ed%21e",
		"é":              "%C3%A9",
		strings.Repeat("x", 121): strings.Repeat("x", 50) + "~" +
			"79072a47bfaa54e6057a9ee21e0dea64b9edbfd160c4ccadbb657e64b6d22ee4",
	} {
		if got := escape(name); got != want {
			t.Errorf("escape(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestAwkwardNamesGiveDifferentSafeParts(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range awkward {
		checkPart(t, name)
		folded := strings.ToLower(escape(name))
		if other, ok := seen[folded]; ok && other != name {
			t.Errorf("%q and %q are both %q", name, other, folded)
		}
		seen[folded] = name
	}
}

// checkPart checks what every part must be, whatever the name is.
func checkPart(t *testing.T, name string) {
	t.Helper()
	part := escape(name)
	if len(part) > maxPart || part == "" {
		t.Errorf("escape(%q) has %d bytes", name, len(part))
	}
	if strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF_-.!%~") != "" || strings.ContainsAny(part, `/\#`) {
		t.Errorf("escape(%q) = %q", name, part)
	}
	if strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") {
		t.Errorf("escape(%q) = %q has a dot at an end", name, part)
	}
	short, sum, shortened := strings.Cut(part, "~")
	if !shortened {
		if back := unescape(t, part); back != name {
			t.Errorf("escape(%q) = %q, which is %q", name, part, back)
		}
	} else if len(short) != shortPart || len(sum) != 64 {
		t.Errorf("escape(%q) = %q", name, part)
	}
}

// unescape is the inverse of escape, for a part that is not shortened, on a disk that ignores
// case. That it exists proves that different names have different parts.
func unescape(t *testing.T, part string) string {
	t.Helper()
	part = strings.ToLower(part)
	var name []byte
	for i := 0; i < len(part); i++ {
		switch part[i] {
		case '!':
			i++
			name = append(name, part[i]-'a'+'A')
		case '%':
			b, err := hex.DecodeString(part[i+1 : i+3])
			must(t, err)
			name, i = append(name, b...), i+2
		default:
			name = append(name, part[i])
		}
	}
	return string(name)
}

func FuzzEscape(f *testing.F) {
	for i, name := range awkward {
		f.Add(name, awkward[(i+1)%len(awkward)])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, name := range []string{a, b} {
			if name != "" {
				checkPart(t, name)
			}
		}
		if a != b && strings.EqualFold(escape(a), escape(b)) {
			t.Errorf("%q and %q are both %q", a, b, escape(a))
		}
	})
}

func FuzzKeys(f *testing.F) {
	for i, name := range awkward {
		f.Add("acme/"+name, name, awkward[(i+7)%len(awkward)])
	}
	f.Add("acme/infra", "a", "b#c")
	f.Add("errored-state/infra", "planfiles", "a")
	f.Add("planfiles/errored-state", "infra", "a")
	digest := strings.Repeat("d", 64)
	f.Fuzz(func(t *testing.T, repository, component, stack string) {
		target := Target{repository, component, stack}
		if err := target.Check(); err != nil {
			if !errors.Is(err, ErrName) {
				t.Errorf("%v is not an ErrName", err)
			}
			if strings.ContainsAny(err.Error(), "\n\r\x00") {
				t.Errorf("not a line: %q", err)
			}
			return
		}
		key := objectKey(target, strings.Repeat("c", 64), digest)
		state := erroredStateKey(Record{Target: target, Commit: strings.Repeat("c", 64)}, Run{ID: strings.Repeat("9", 64), Attempt: 1 << 30}, digest)
		for _, key := range []string{key, state} {
			if len(key) > 1024 || !filepath.IsLocal(filepath.FromSlash(key)) || filepath.Clean(key) != key {
				t.Errorf("object key %q of %d bytes", key, len(key))
			}
		}
		// Lifecycle rules and policies distinguish the two by how they begin.
		if !strings.HasPrefix(key, "planfiles/") || !strings.HasPrefix(state, "errored-state/") {
			t.Errorf("object keys %q, %q", key, state)
		}
		if len(strings.Split(key, "/")) != 7 || len(strings.Split(target.Key(), "#")) != 3 {
			t.Errorf("parts of %q, %q", key, target.Key())
		}
		// Two targets that differ in one place also differ in the other.
		swapped := Target{repository, stack, component}
		if component != stack && (swapped.Key() == target.Key() || objectKey(swapped, commitA, digest) == objectKey(target, commitA, digest)) {
			t.Errorf("%+v and %+v are one", target, swapped)
		}
	})
}

func TestTargetsWithAwkwardNamesAreKeptApart(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		var names []string
		for _, name := range awkward {
			if len(name) <= maxName {
				names = append(names, name)
			}
		}
		records := map[Target]Record{}
		for i, name := range names {
			for _, target := range []Target{{"acme/infra", name, "dev"}, {"acme/infra", "vpc", name}} {
				if _, ok := records[target]; ok {
					continue
				}
				r := b.newRecord(nil)
				r.Target, r.Actor = target, name
				// Two targets with the same planfile: only the key tells the objects apart.
				records[target] = b.put(t, r, "plan "+string(rune('a'+i%2)))
			}
		}
		for target, r := range records {
			found, err := b.Find(t.Context(), target, commitA)
			if err != nil {
				t.Errorf("%q: %v", target, err)
				continue
			}
			if diff := cmp.Diff(r, found.Record); diff != "" {
				t.Errorf("%q (-want +got):\n%s", target, diff)
			}
			if err := b.Fetch(t.Context(), r, filepath.Join(t.TempDir(), "f")); err != nil {
				t.Errorf("%q: %v", target, err)
			}
		}
	})
}

func TestNoNameGetsOutOfTheFolder(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	b := newFolderBackend(t, filepath.Join(parent, "store"))
	for _, name := range awkward {
		r := b.newRecord(nil)
		r.Target = Target{"acme/" + name, name, name}
		if r.Target.Check() != nil { // not a name that GitHub allows
			r.Target.Repository = "../.."
		}
		b.put(t, r, "plan")
		_, err := b.PutErroredState(t.Context(), r, r.Run, writeFile(t, "state"))
		must(t, err)
	}
	entries, err := os.ReadDir(parent)
	must(t, err)
	if len(entries) != 1 {
		t.Errorf("beside the store: %v", entries)
	}
	must(t, filepath.WalkDir(filepath.Join(parent, "store"), func(path string, d os.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		if want := map[bool]os.FileMode{true: 0o700, false: 0o600}[d.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		return nil
	}))
}
