// Package policies tests the policies of examples/policies: with their own tests, and as the actions
// evaluate them.
package policies

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/policy/evaluator"
)

var update = flag.Bool("update", false, "format the policies")

const examples = "../../examples/policies"

func TestMain(m *testing.M) {
	if status, served := evaluator.Serve(os.Args); served {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

// TestTheExamplesTestsPass runs what `opa test examples/policies` runs.
func TestTheExamplesTestsPass(t *testing.T) {
	t.Parallel()
	modules, store, err := tester.Load([]string{examples}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]int{}
	err = storage.Txn(t.Context(), store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		results, err := tester.NewRunner().SetStore(store).SetModules(modules).RaiseBuiltinErrors(true).RunTests(t.Context(), txn)
		if err != nil {
			return err
		}
		for result := range results {
			tested[filepath.Base(result.Location.File)]++
			if !result.Pass() {
				t.Errorf("%s", result)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for file := range modules {
		name := filepath.Base(file)
		if base, ok := strings.CutSuffix(name, "_test.rego"); !ok {
			continue
		} else if name = base + "_test.rego"; tested[name] < 3 {
			t.Errorf("%s has %d tests", name, tested[name])
		}
	}
	if len(tested) != 6 {
		t.Errorf("%d policies have tests", len(tested))
	}
}

// TestTheExamplesAreFormatted checks what `opa fmt` would write. With -update it writes that.
func TestTheExamplesAreFormatted(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(examples, "*.rego"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		formatted, err := format.Source(file, content)
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			err = os.WriteFile(file, formatted, 0o644)
		}
		if diff := cmp.Diff(string(formatted), string(content)); diff != "" && !*update || err != nil {
			t.Errorf("%s: %v\n%s", file, err, diff)
		}
	}
}

// exampleSet are the examples as an action reads them.
func exampleSet(t *testing.T) (set policy.Set) {
	t.Helper()
	entries, err := os.ReadDir(examples)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(examples, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		set = append(set, policy.File{Path: "policies/" + entry.Name(), Root: "policies", Content: content})
	}
	return set
}

func evaluate(t *testing.T, o policy.Options, plan string, counts changes.Counts) policy.Verdict {
	t.Helper()
	e, err := policy.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = e.Write([]byte(plan))
	return e.End(counts)
}

func texts(messages []policy.Message) (all []string) {
	for _, m := range messages {
		all = append(all, m.Text)
	}
	slices.Sort(all)
	return all
}

func TestTheExamplesJudgeAPlan(t *testing.T) {
	t.Parallel()
	plan := `{"format_version":"1.2",
"configuration":{"provider_config":{"aws":{"name":"aws","full_name":"registry.terraform.io/hashicorp/aws"},"null":{"name":"null","full_name":"registry.terraform.io/hashicorp/null"}},
  "root_module":{"resources":[{"address":"null_resource.a","provisioners":[{"type":"local-exec","expressions":{}}]}],"module_calls":{"vpc":{"source":"terraform-aws-modules/vpc/aws","version_constraint":"~> 5.0"}}}},
"resource_changes":[
  {"address":"aws_db_instance.main","mode":"managed","type":"aws_db_instance","provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":["delete","create"],"before":{},"after":{}}},
  {"address":"aws_security_group.web","mode":"managed","type":"aws_security_group","provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":["create"],"before":null,"after":{"ingress":[{"from_port":22,"to_port":22,"protocol":"tcp","cidr_blocks":["0.0.0.0/0"],"ipv6_cidr_blocks":[]}]},"after_unknown":{"ingress":[{"cidr_blocks":[false]}]}}}]}`
	v := evaluate(t, policy.Options{Policies: exampleSet(t), Facts: policy.Facts{Phase: "apply", Time: time.Date(2026, 12, 4, 10, 0, 0, 0, time.UTC)}}, plan, changes.Counts{Create: 1, Replace: 1})
	if diff := cmp.Diff([]string{
		"Friday, 2026-12-04 11:00 is outside of the office hours: Monday, Tuesday, Wednesday, Thursday, 9 to 16 o'clock (Europe/Berlin)",
		"aws_db_instance.main would be destroyed, and its data with it",
		"aws_security_group.web lets 0.0.0.0/0 in, to port 22",
		"module vpc is not pinned: its source is terraform-aws-modules/vpc/aws, and its version ~> 5.0",
		"null_resource.a has a provisioner: local-exec",
		"the provider registry.terraform.io/hashicorp/null is not one that may be used",
	}, texts(v.Denied)); diff != "" || len(v.Warned) > 0 {
		t.Error(diff, v.Warned)
	}
}

// Each policy can be copied alone, with the settings.
func TestEachExampleWorksAlone(t *testing.T) {
	t.Parallel()
	all := exampleSet(t)
	for _, file := range all {
		if !strings.HasSuffix(file.Path, ".rego") || strings.HasSuffix(file.Path, "_test.rego") {
			continue
		}
		var set policy.Set
		for _, other := range all {
			if other.Path == file.Path || strings.HasSuffix(other.Path, ".yaml") {
				set = append(set, other)
			}
		}
		v := evaluate(t, policy.Options{Policies: set, Facts: policy.Facts{Time: time.Date(2026, 12, 2, 10, 0, 0, 0, time.UTC)}}, `{"configuration":{},"resource_changes":[]}`, changes.Counts{})
		if v.Result != policy.Passed {
			t.Errorf("%s: %+v", file.Path, v)
		}
	}
}
