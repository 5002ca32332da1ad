package inventory

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/problem"
)

func TestInputsBeatSettings(t *testing.T) {
	t.Parallel()
	bucket := Settings{
		TerraformVersion: "1.11", Region: "r", Bucket: "b", Table: "t", Audience: "a",
		PlanStorageRole: "p", ApplyStorageRole: "q", DriftStorageRole: "d", PlanRole: "x", ApplyRole: "y",
	}
	for name, c := range map[string]struct {
		settings Settings
		over     Overrides
		want     Effective
	}{
		"none": {bucket, Overrides{}, Effective(bucket)},
		"roles": {bucket, Overrides{StorageRole: "s", TerraformRole: "z"}, Effective{
			TerraformVersion: "1.11", Region: "r", Bucket: "b", Table: "t", Audience: "a",
			PlanStorageRole: "s", ApplyStorageRole: "s", DriftStorageRole: "s", PlanRole: "z", ApplyRole: "z",
		}},
		"others":                       {Settings{Region: "r", Bucket: "b", Table: "t", Audience: "a"}, Overrides{Region: "R", Bucket: "B", Table: "T", Audience: "A"}, Effective{Region: "R", Bucket: "B", Table: "T", Audience: "A"}},
		"a folder instead of a bucket": {Settings{Region: "r", Bucket: "b", Table: "t"}, Overrides{StorageURL: "/plans"}, Effective{Region: "r", StorageURL: "/plans"}},
		"a bucket instead of a folder": {Settings{StorageURL: "/plans", Table: "t"}, Overrides{Bucket: "B"}, Effective{Bucket: "B", Table: "t"}},
	} {
		if diff := cmp.Diff(c.want, c.settings.With(c.over)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(c.want, Settings(c.settings.With(c.over)).With(c.over)); diff != "" {
			t.Errorf("%s: twice: %s", name, diff)
		}
	}
	if err := (Overrides{StorageURL: "/plans", Table: "t"}).Check(); problem.CodeOf(err) != problem.Input {
		t.Errorf("a folder and a table: %v", err)
	}
}
