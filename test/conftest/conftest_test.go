// Package conftest checks that what conftest says of policies is what is recorded in
// shared/policy/evaluator/testdata/conftest. The tests of the evaluator compare its own verdicts with
// these records.
package conftest

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/conftest/parser"
	"github.com/open-policy-agent/conftest/policy"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the records")

const records = "../../shared/policy/evaluator/testdata/conftest"

// examples are conftest's own: the policies, the file that they check, and the data. Some check no
// plan, and are here for the ways in which they are written.
var examples = map[string]struct{ policies, input, data string }{
	"terraform-plan": {"examples/hcl1/policy/base.rego", "examples/hcl1/gke-show.json", ""},
	"terraform-hcl2": {"examples/hcl2/policy/deny.rego", "examples/hcl2/terraform.tf", ""},
	"exceptions":     {"examples/exceptions/policy", "examples/exceptions/deployments.yaml", ""},
	"data":           {"examples/data/policy/base.rego", "examples/data/service.yaml", "examples/data/exclusions"},
	"kubernetes":     {"examples/kubernetes/policy", "examples/kubernetes/deployment.yaml", ""},
	"failures":       {"tests/return-multiple-failures/policy.rego", "tests/return-multiple-failures/file.json", ""},
	"report":         {"examples/report/policy", "examples/kubernetes/deployment.yaml", ""},
	"annotations":    {"tests/annotations/policy/base.rego", "tests/annotations/service.yaml", "tests/annotations/exclusions"},
	"compose":        {"examples/compose/policy", "examples/compose/docker-compose.yml", ""},
}

// TestExamplesAreConftests checks that the recorded policies are conftest's.
func TestExamplesAreConftests(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}} {{.Version}}", "github.com/open-policy-agent/conftest").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir, version, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	for name, example := range examples {
		archive := &txtar.Archive{Comment: fmt.Appendf(nil, "From conftest %s, %s. Copyright (C) 2019 Gareth Rushgrove; Apache License 2.0.\n", version, filepath.Dir(example.policies))}
		archive.Files = append(archive.Files, read(t, filepath.Join(dir, example.policies), "policy")...)
		if example.data != "" {
			archive.Files = append(archive.Files, read(t, filepath.Join(dir, example.data), "data")...)
		}
		configs, err := parser.ParseConfigurations([]string{filepath.Join(dir, example.input)})
		if err != nil {
			t.Fatal(name, err)
		}
		for _, config := range configs {
			if list, ok := config.([]any); ok {
				config = list[0] // the first document of a YAML file
			}
			input, err := json.MarshalIndent(config, "", "  ")
			if err != nil {
				t.Fatal(name, err)
			}
			archive.Files = append(archive.Files, txtar.File{Name: "input.json", Data: append(input, '\n')})
		}
		file := filepath.Join(records, name+".txtar")
		if *update {
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		recorded, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		recorded.Files = slices.DeleteFunc(recorded.Files, func(f txtar.File) bool { return f.Name == "verdict.json" })
		if string(txtar.Format(recorded)) != string(txtar.Format(archive)) {
			t.Errorf("%s is not what conftest %s has: run the tests with -update", file, version)
		}
	}
}

// read reads the files of a folder or a file, under a name.
func read(t *testing.T, path, as string) (files []txtar.File) {
	t.Helper()
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(file, "_test.rego") {
			return err
		}
		content, err := os.ReadFile(file)
		below, _ := filepath.Rel(path, file)
		if below == "." {
			below = filepath.Base(file)
		}
		files = append(files, txtar.File{Name: as + "/" + filepath.ToSlash(below), Data: content})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// verdict is what conftest says, sorted.
type verdict struct {
	Failures   []string `json:"failures"`
	Warnings   []string `json:"warnings"`
	Exceptions []string `json:"exceptions"` // names of excepted rules
}

var exceptionName = regexp.MustCompile(`== "(.*)"$`)

func TestRecordsAreWhatConftestSays(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(records, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		said, err := json.MarshalIndent(ask(t, archive), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, '\n')
		was := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "verdict.json" })
		switch {
		case *update:
			archive.Files = append(slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "verdict.json" }), txtar.File{Name: "verdict.json", Data: said})
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		case was < 0 || string(archive.Files[was].Data) != string(said):
			t.Errorf("%s: conftest says\n%s", file, said)
		}
	}
}

// ask has conftest evaluate a record's policies.
func ask(t *testing.T, archive *txtar.Archive) verdict {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{"policy", "data"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := txtar.Write(archive, dir); err != nil {
		t.Fatal(err)
	}
	var engine *policy.Engine
	var err error
	for _, version := range []string{"v1", "v0"} {
		if engine, err = policy.LoadWithData([]string{filepath.Join(dir, "policy")}, []string{filepath.Join(dir, "data")}, policy.CompilerOptions{RegoVersion: version}); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	configs, err := parser.ParseConfigurations([]string{filepath.Join(dir, "input.json")})
	if err != nil {
		t.Fatal(err)
	}
	results, err := engine.Check(t.Context(), configs, "main")
	if err != nil {
		t.Fatal(err)
	}
	said := verdict{Failures: []string{}, Warnings: []string{}, Exceptions: []string{}}
	for _, result := range results {
		for _, failure := range result.Failures {
			said.Failures = append(said.Failures, failure.Message)
		}
		for _, warning := range result.Warnings {
			said.Warnings = append(said.Warnings, warning.Message)
		}
		for _, exception := range result.Exceptions {
			said.Exceptions = append(said.Exceptions, exceptionName.FindStringSubmatch(exception.Message)[1])
		}
	}
	for _, all := range [][]string{said.Failures, said.Warnings, said.Exceptions} {
		slices.Sort(all)
	}
	return said
}
