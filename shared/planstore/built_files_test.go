package planstore

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuiltFilesAreStoredBesideThePlanfile(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		stored := b.putWithFiles(t, b.newRecord(nil), "plan", "files")
		found, err := b.open().Find(t.Context(), network, commitA)
		must(t, err)
		if diff := cmp.Diff(stored, found.Record); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if stored.BuiltSize != 5 || stored.version() != 3 {
			t.Errorf("%d bytes, version %d", stored.BuiltSize, stored.version())
		}
		fetch := func(r Record) (string, error) {
			path := filepath.Join(t.TempDir(), "fetched")
			err := b.FetchFiles(t.Context(), r, path)
			content, readErr := os.ReadFile(path)
			if info, statErr := os.Stat(path); err == nil && (statErr != nil || info.Mode() != 0o600) || err != nil && readErr == nil {
				t.Errorf("after error %v: %v, %v", err, info, statErr)
			}
			return string(content), err
		}
		if got, err := fetch(found.Record); err != nil || got != "files" {
			t.Errorf("%q, %v", got, err)
		}
		must(t, b.Fetch(t.Context(), found.Record, filepath.Join(t.TempDir(), "plan")))

		// Neither stands for the other, nor for those of another target, and none is not some.
		for name, spoil := range map[string]func(*Record){
			"no digest":              func(r *Record) { r.BuiltDigest = "" },
			"another digest":         func(r *Record) { r.BuiltDigest = r.Digest },
			"a digest that climbs":   func(r *Record) { r.BuiltDigest = "../../" + r.BuiltDigest[6:] },
			"a size below zero":      func(r *Record) { r.BuiltSize = -1 },
			"another size":           func(r *Record) { r.BuiltSize = 4 },
			"another target":         func(r *Record) { r.Stack = "other" },
			"another repository":     func(r *Record) { r.Repository = "acme/other" },
			"a size past all limits": func(r *Record) { r.BuiltSize = maxObject + 1 },
		} {
			r := found.Record
			spoil(&r)
			if got, err := fetch(r); err == nil {
				t.Errorf("%s: %q", name, got)
			}
		}
		key := builtFilesKey(network, commitA, stored.BuiltDigest)
		version := b.Overwrite(t, key, []byte("other"))
		r := found.Record
		if version != "" {
			r.BuiltVersion = version
		}
		if _, err := fetch(r); !errors.Is(err, ErrDigestMismatch) {
			t.Errorf("overwritten: %v", err)
		}
		b.Remove(t, key)
		r.BuiltVersion = ""
		if _, err := fetch(r); !errors.Is(err, ErrPlanfileGone) {
			t.Errorf("removed: %v", err)
		}

		// What stands for both changes with each.
		if a := stored.ApprovalDigest(); a == stored.Digest || a == stored.BuiltDigest || len(a) != 64 {
			t.Errorf("approval digest %s", a)
		}
		plain := b.put(t, b.newRecord(nil), "plan")
		if plain.ApprovalDigest() != plain.Digest || plain.version() != 1 {
			t.Errorf("without built files: %s, version %d", plain.ApprovalDigest(), plain.version())
		}
		if _, err := b.PutWithFiles(t.Context(), b.newRecord(nil), "", writeFile(t, "files")); err == nil {
			t.Error("built files without a planfile were stored")
		}
	})
}
