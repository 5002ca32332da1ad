package terraform_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
)

func TestApplyTellsWhatItDid(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{
		"main.tf": `
module "m" {
  source   = "./m"
  for_each = toset(["a b"])
}
resource "terraform_data" "kept" { input = "1" }
resource "terraform_data" "replaced" { triggers_replace = "1" }
resource "terraform_data" "gone" {}
data "terraform_remote_state" "none" {
  backend  = "local"
  config   = { path = terraform_data.kept.id == "" ? "" : "none" }
  defaults = {}
}`,
		"none":      `{"version":4,"terraform_version":"1.0.0","serial":1,"lineage":"x","outputs":{},"resources":[]}`,
		"m/main.tf": `resource "terraform_data" "x" {}`,
	})
	c, log := terraformtest.New(t, dir)
	terraformtest.Apply(t, c)
	log.Has(t, "Apply complete! Resources: 4 added, 0 changed, 0 destroyed.\n")

	terraformtest.WriteFiles(t, dir, map[string]string{"main.tf": `
module "m" {
  source   = "./m"
  for_each = toset(["a b"])
}
resource "terraform_data" "kept" { input = "2" }
resource "terraform_data" "replaced" { triggers_replace = "2" }
resource "terraform_data" "imported" {}
import {
  to = terraform_data.imported
  id = "known"
}
output "list" { value = [terraform_data.kept.input] }
output "secret" {
  value     = "hunter2"
  sensitive = true
}`})
	result := terraformtest.Apply(t, c)
	want := terraform.ApplyResult{
		Resources: []terraform.ResourceResult{
			{Address: "terraform_data.gone", Action: "delete", Status: terraform.Applied},
			{Address: "terraform_data.kept", Action: "update", Status: terraform.Applied},
			{Address: "terraform_data.replaced", Action: "create", Status: terraform.Applied},
			{Address: "terraform_data.replaced", Action: "delete", Status: terraform.Applied},
		},
		Outputs: []terraform.Output{
			{Name: "list", Value: json.RawMessage(`["2"]`)},
			{Name: "secret", Sensitive: true},
		},
	}
	byName := cmpopts.SortSlices(func(a, b terraform.ResourceResult) bool {
		return a.Address+a.Action < b.Address+b.Action
	})
	if diff := cmp.Diff(want, result, byName, cmpopts.IgnoreFields(terraform.ResourceResult{}, "Elapsed")); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Error("a sensitive output is in the log")
	}
}

func TestApplyThatFailsTellsHowFarItGot(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `
resource "terraform_data" "good" {}
resource "terraform_data" "bad" {
  depends_on = [terraform_data.good]
  provisioner "local-exec" { command = "sleep 1; exit 3" }
}
resource "terraform_data" "never" { depends_on = [terraform_data.bad] }`})
	c, _ := terraformtest.New(t, dir)
	result, err := c.Apply(t.Context(), terraformtest.Plan(t, c))
	var failed *terraform.CommandError
	if !errors.As(err, &failed) {
		t.Fatalf("error %v is no CommandError", err)
	}
	want := []terraform.ResourceResult{
		{Address: "terraform_data.good", Action: "create", Status: terraform.Applied},
		{Address: "terraform_data.bad", Action: "create", Status: terraform.Failed},
		{Address: "terraform_data.never", Action: "create", Status: terraform.NotStarted},
	}
	if diff := cmp.Diff(want, result.Resources, cmpopts.IgnoreFields(terraform.ResourceResult{}, "Elapsed")); diff != "" {
		t.Error(diff)
	}
	if got := result.Resources[1].Elapsed; got < time.Second { // how much longer depends on the machine
		t.Errorf("elapsed %v, of which it slept one second", got)
	}
	if d := result.Diagnostics; len(d) != 1 || d[0].Address != "terraform_data.bad" || d[0].Line != 5 {
		t.Errorf("diagnostics %+v", d)
	}
	if result.ErroredState != "" {
		t.Error("the state was persisted, and is said to be in " + result.ErroredState)
	}
}

func TestApplyOfAStalePlan(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" {}`})
	c, _ := terraformtest.New(t, dir)
	stale := terraformtest.Plan(t, c)
	terraformtest.Apply(t, c)
	_, err := c.Apply(t.Context(), stale)
	if !errors.Is(err, terraform.ErrStalePlan) {
		t.Errorf("serial moved on: %v", err)
	}
	if !strings.Contains(errorText(err), "plan again") {
		t.Error("the error does not say what to do")
	}

	// Another state altogether.
	terraformtest.Apply(t, c)
	terraformtest.WriteFiles(t, dir, map[string]string{"b.tf": `resource "terraform_data" "b" {}`})
	other := terraformtest.Plan(t, c)
	state := filepath.Join(dir, "terraform.tfstate")
	var content map[string]any
	if err := json.Unmarshal([]byte(terraformtest.ReadFile(t, state)), &content); err != nil {
		t.Fatal(err)
	}
	content["lineage"] = "11111111-2222-3333-4444-555555555555"
	changed, _ := json.Marshal(content)
	terraformtest.WriteFiles(t, dir, map[string]string{"terraform.tfstate": string(changed)})
	if _, err := c.Apply(t.Context(), other); !errors.Is(err, terraform.ErrStalePlan) {
		t.Errorf("another lineage: %v", err)
	}
}

func TestApplyRefusesAPlanOfAnotherWorkspace(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" {}`})
	dev, _ := terraformtest.New(t, dir)
	dev.Workspace = "dev"
	planfile := terraformtest.Plan(t, dev)

	for _, selected := range []string{"", "default", "prod"} {
		c, log := terraformtest.New(t, dir)
		c.Workspace = selected
		_, err := c.Apply(t.Context(), planfile)
		if err == nil || !strings.Contains(err.Error(), `was made in workspace "dev"`) {
			t.Errorf("selected %q: %v", selected, err)
		}
		if log.String() != "" {
			t.Errorf("Terraform has run:\n%s", log)
		}
	}
	// What `workspace select` noted counts as well.
	noted, _ := terraformtest.New(t, dir)
	terraformtest.WriteFiles(t, dir, map[string]string{".terraform/environment": "dev"})
	if _, err := noted.Apply(t.Context(), planfile); err != nil {
		t.Error(err)
	}
}

// httpState is a state backend that can be told to refuse writes.
type httpState struct {
	*httptest.Server
	mu      sync.Mutex
	state   []byte
	refuses bool
}

func newHTTPState(t *testing.T) *httpState {
	s := &httpState{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case r.Method == http.MethodGet && s.state == nil:
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodGet:
			_, _ = w.Write(s.state)
		case s.refuses:
			w.WriteHeader(http.StatusForbidden)
		default:
			s.state = make([]byte, r.ContentLength)
			_, _ = r.Body.Read(s.state)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *httpState) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses = true
}

func (s *httpState) files(main string) map[string]string {
	return map[string]string{
		"backend.tf": "terraform {\n  backend \"http\" {\n    address   = \"" + s.URL + "\"\n    retry_max = 0\n  }\n}\n",
		"main.tf":    main,
	}
}

func TestStateThatCannotBePersistedIsNotLost(t *testing.T) {
	t.Parallel()
	backend := newHTTPState(t)
	dir := terraformtest.RootModule(t, backend.files(`resource "terraform_data" "a" { input = "precious" }`))
	c, log := terraformtest.New(t, dir)
	planfile := terraformtest.Plan(t, c)
	backend.refuse()
	result, err := c.Apply(t.Context(), planfile)
	if err == nil || !strings.Contains(err.Error(), "Failed to save state") {
		t.Errorf("error %v", err)
	}
	if result.ErroredState != filepath.Join(dir, "errored.tfstate") {
		t.Fatalf("errored state in %q", result.ErroredState)
	}
	if !strings.Contains(terraformtest.ReadFile(t, result.ErroredState), "precious") {
		t.Error("errored.tfstate does not hold the state")
	}
	if len(result.Resources) != 1 || result.Resources[0].Status != terraform.Applied {
		t.Errorf("resources %+v", result.Resources)
	}

	// A next apply would overwrite it.
	before := log.String()
	if _, err := c.Apply(t.Context(), planfile); err == nil || !strings.Contains(err.Error(), "push it") {
		t.Errorf("error %v", err)
	}
	if log.String() != before {
		t.Error("Terraform was run over an errored.tfstate")
	}
}

func TestStateThatTerraformCanOnlyPrintIsNotLost(t *testing.T) {
	t.Parallel()
	backend := newHTTPState(t)
	// The provisioner takes the place of errored.tfstate.
	dir := terraformtest.RootModule(t, backend.files(`resource "terraform_data" "a" {
  input = "precious"
  provisioner "local-exec" {
    command = "mkdir errored.tfstate"
  }
}`))
	c, log := terraformtest.New(t, dir)
	planfile := terraformtest.Plan(t, c)
	backend.refuse()
	result, err := c.Apply(t.Context(), planfile)
	if err == nil {
		t.Error("no error")
	}
	t.Cleanup(func() { os.Remove(result.ErroredState) })
	if strings.HasPrefix(result.ErroredState, dir) || !strings.Contains(terraformtest.ReadFile(t, result.ErroredState), `"precious"`) {
		t.Errorf("errored state in %q", result.ErroredState)
	}
	if info, err := os.Stat(result.ErroredState); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("it is readable for others: %v, %v", info.Mode(), err)
	}
	if strings.Contains(log.String(), "precious") {
		t.Error("the state is in the log")
	}
}
