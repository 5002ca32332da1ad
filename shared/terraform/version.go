package terraform

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/hashicorp/terraform-exec/tfexec"
)

// Version asks the executable what it is, in one short process. Plan and Apply
// tell it from their own logs, for nothing.
func (c *CLI) Version(ctx context.Context) (Version, error) {
	tf, err := tfexec.NewTerraform(c.Dir, c.Path)
	if err != nil {
		return Version{}, fmt.Errorf("%s version: %w", c.Path, err)
	}
	env := map[string]string{}
	for _, entry := range c.environ("") {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	var raw bytes.Buffer
	tf.SetStdout(&raw)
	if err := tf.SetEnv(tfexec.CleanEnv(env)); err != nil {
		return Version{}, fmt.Errorf("%s version: %w", c.Path, err)
	}
	number, _, err := tf.Version(ctx, true)
	if err != nil {
		return Version{}, fmt.Errorf("%s version: %w", c.Path, err)
	}
	return Version{Name: versionName(raw.Bytes()), Number: number.Original()}, nil
}

// versionName tells Terraform from OpenTofu by the output of `version -json`,
// which both call terraform_version: only Terraform says whether it is outdated
// (OpenTofu dropped that with the service that knew, before its first release).
func versionName(output []byte) string {
	var v struct {
		Outdated *bool `json:"terraform_outdated"`
	}
	if json.Unmarshal(output, &v) == nil && v.Outdated == nil {
		return OpenTofu
	}
	return Terraform
}
