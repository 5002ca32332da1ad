package terraform

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/hashicorp/terraform-exec/tfexec"
)

// Version runs the executable once and asks what it is. PlanResult has the version,
// too, at no cost: Plan reads it from Terraform's log.
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
	if version, ok := readVersion(raw.Bytes()); ok {
		return version, nil // also if terraform-exec cannot read OpenTofu's answer
	}
	if err != nil {
		return Version{}, fmt.Errorf("%s version: %w", c.Path, err)
	}
	return Version{Name: Terraform, Number: number.Original()}, nil
}

// readVersion reads the output of `version -json`. OpenTofu prints warnings before it,
// such as that TF_CLI_CONFIG_FILE names a file that does not exist. Both programs call
// their number terraform_version, but only Terraform says whether it is outdated:
// OpenTofu removed that before its first release.
func readVersion(output []byte) (Version, bool) {
	start := bytes.Index(append([]byte("\n"), output...), []byte("\n{"))
	if start < 0 {
		return Version{}, false
	}
	var v struct {
		Number   string `json:"terraform_version"`
		Outdated *bool  `json:"terraform_outdated"`
	}
	// Not Unmarshal: terraform-exec may have asked again, for text.
	if err := json.UnmarshalDecode(jsontext.NewDecoder(bytes.NewReader(output[start:])), &v); err != nil || v.Number == "" {
		return Version{}, false
	}
	if v.Outdated == nil {
		return Version{Name: OpenTofu, Number: v.Number}, true
	}
	return Version{Name: Terraform, Number: v.Number}, true
}
