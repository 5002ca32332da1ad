package evaluator_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/terraform-gitops/gitops/shared/policy"
)

// The records are what conftest itself says: test/conftest makes and checks them.
func TestVerdictsAreConftests(t *testing.T) {
	t.Parallel()
	records, err := filepath.Glob("testdata/conftest/*.txtar")
	if err != nil || len(records) < 10 {
		t.Fatal(records, err)
	}
	for _, record := range records {
		t.Run(filepath.Base(record), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(record)
			if err != nil {
				t.Fatal(err)
			}
			var set policy.Set
			var input []byte
			var conftest struct{ Failures, Warnings, Exceptions []string }
			for _, file := range archive.Files {
				switch root, _, _ := strings.Cut(file.Name, "/"); root {
				case "input.json":
					input = file.Data
				case "verdict.json":
					if err := json.Unmarshal(file.Data, &conftest); err != nil {
						t.Fatal(err)
					}
				default:
					set = append(set, policy.File{Path: file.Name, Root: root, Content: file.Data})
				}
			}
			v := evaluate(t, policy.Options{Policies: set}, string(input))
			if diff := cmp.Diff(conftest.Failures, texts(v.Denied)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(conftest.Warnings, texts(v.Warned)); diff != "" {
				t.Error(diff)
			}
			for _, m := range v.Excepted {
				_, name, _ := strings.Cut(m.Name, "_")
				if !slices.Contains(conftest.Exceptions, name) {
					t.Errorf("%s is excepted, and conftest excepts %q", m.Name, conftest.Exceptions)
				}
			}
			if want := (map[bool]policy.Result{true: policy.Denied, false: policy.Warned})[len(conftest.Failures) > 0]; v.Result != want && len(conftest.Failures)+len(conftest.Warnings) > 0 {
				t.Errorf("the result is %s", v.Result)
			}
		})
	}
}

func texts(messages []policy.Message) []string {
	all := []string{}
	for _, m := range messages {
		all = append(all, m.Text)
	}
	slices.Sort(all)
	return all
}
