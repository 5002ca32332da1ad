package terraform_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/test/kit/executable"
)

func TestShowJSONStreamsThePlan(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `
variable "secret" { sensitive = true }
resource "terraform_data" "a" { input = var.secret }`})
	c, log := terraformtest.New(t, dir, "TF_VAR_secret=hunter2")
	planfile := terraformtest.Plan(t, c)
	var plan struct {
		ResourceChanges []struct{ Address string } `json:"resource_changes"`
	}
	err := c.ShowJSON(t.Context(), planfile, func(r io.Reader) error {
		return json.NewDecoder(r).Decode(&plan)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.ResourceChanges) != 1 || plan.ResourceChanges[0].Address != "terraform_data.a" {
		t.Errorf("%+v", plan)
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Error("the plan is in the log")
	}
}

func TestShowJSONStopsWhenItsReaderDoes(t *testing.T) {
	t.Parallel()
	c, _ := terraformtest.New(t, t.TempDir())
	c.Path = terraformtest.Script(t, `while :; do echo '{"endless": true}'; done`)
	enough := errors.New("enough")
	err := c.ShowJSON(t.Context(), "p", func(r io.Reader) error {
		_, _ = io.ReadFull(r, make([]byte, 100))
		return enough
	})
	if !errors.Is(err, enough) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = c.ShowJSON(ctx, "p", func(r io.Reader) error {
		cancel()
		_, err := io.Copy(io.Discard, r)
		return err
	})
	if !errors.Is(err, terraform.ErrInterrupted) {
		t.Errorf("error %v", err)
	}
	if err := c.ShowJSON(ctx, "p", nil); !errors.Is(err, terraform.ErrInterrupted) {
		t.Errorf("error %v", err)
	}
}

func TestShowJSONTellsTerraformsError(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": ""})
	c, _ := terraformtest.New(t, dir)
	terraformtest.Init(t, c)
	short := io.ErrUnexpectedEOF
	for name, read := range map[string]func(io.Reader) error{
		"content": func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err },
		"failing": func(r io.Reader) error { _, _ = io.Copy(io.Discard, r); return short },
	} {
		err := c.ShowJSON(t.Context(), filepath.Join(dir, "main.tf"), read)
		var failed *terraform.CommandError
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), "terraform show: failed: Failed to read the given file as a state or plan file") {
			t.Errorf("reader that is %s: %v", name, err)
		}
	}
}

func TestShowSkipsWhatIsPrintedBeforeThePlan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "tofu")
	script := "#!/bin/sh\necho Warning: no configuration file\necho\necho ' {not yet}'\necho '{\"a\":'\necho '1}'\n"
	if err := executable.Write(program, script); err != nil {
		t.Fatal(err)
	}
	var got []byte
	err := (&terraform.CLI{Path: program, Dir: dir}).ShowJSON(t.Context(), "planfile", func(r io.Reader) (err error) {
		got, err = io.ReadAll(r)
		return err
	})
	if err != nil || string(got) != "{\"a\":\n1}\n" {
		t.Errorf("got %q, error %v", got, err)
	}
}
