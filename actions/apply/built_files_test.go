package main

import (
	"archive/tar"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Whoever may write plan records can add files to a plan. None of these files may influence what an
// apply does.
func TestBuiltFilesBringNothingThatWasNotReviewed(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]tar.Header{
		"a file that Terraform reads":  {Name: "components/component/evil_override.tf"},
		"a file that Git has":          {Name: "components/component/main.tf"},
		"another that Git has":         {Name: "gitops.yaml"},
		"a var file":                   {Name: "components/component/evil.auto.tfvars"},
		"a CLI configuration":          {Name: "components/component/.terraformrc"},
		"providers":                    {Name: "components/component/.terraform/providers/evil"},
		"a hook of Git":                {Name: ".git/hooks/post-commit"},
		"a file outside of the module": {Name: "scripts/deploy.sh"},
		"one that climbs":              {Name: "components/component/../../../owned"},
		"a link":                       {Name: "components/component/x", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newForgery(t)
			stored, err := w.store.Find(t.Context(), w.key(), w.SHA)
			if err != nil {
				t.Fatal(err)
			}
			planfile, archive := filepath.Join(t.TempDir(), "planfile"), filepath.Join(t.TempDir(), "archive")
			if _, err := w.store.Fetch(t.Context(), stored.Record, planfile); err != nil {
				t.Fatal(err)
			}
			pack(t, archive, tar.Header{Name: "components/component/good.zip"}, header)
			record := stored.Record
			record.CreatedAt, record.Run.Attempt = record.CreatedAt.Add(time.Second), 2
			if record, err = w.store.PutWithFiles(t.Context(), record, planfile, archive); err != nil {
				t.Fatal(err)
			}
			if err := w.apply(t); problem.CodeOf(err) != problem.PlanFiles || !strings.Contains(err.Error(), "can't travel with the plan") {
				t.Errorf("error %v", err)
			}
			for _, written := range []string{"components/component/good.zip", "components/component/x", "scripts", "components/component/evil_override.tf"} {
				if _, err := os.Lstat(filepath.Join(w.Workspace(), filepath.FromSlash(written))); err == nil {
					t.Errorf("%s was written", written)
				}
			}
			now, err := w.store.Find(t.Context(), w.key(), w.SHA)
			if err != nil || now.Record.ID() != record.ID() || now.Status != planstore.StatusPlanned {
				t.Errorf("the plan is %s, error %v: want it unclaimed", now.Status, err)
			}
		})
	}
}

// pack writes an archive. Each file in it contains an x, unless it is a link.
func pack(t *testing.T, archive string, headers ...tar.Header) {
	t.Helper()
	file, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(file)
	w := tar.NewWriter(z)
	for _, h := range headers {
		h.Mode = 0o755
		if h.Typeflag == 0 {
			h.Typeflag, h.Size = tar.TypeReg, 1
		}
		err := w.WriteHeader(&h)
		if err == nil && h.Size > 0 {
			_, err = w.Write([]byte("x"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []interface{ Close() error }{w, z, file} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
