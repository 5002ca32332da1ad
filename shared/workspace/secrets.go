package workspace

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/terraform-config-inspect/tfconfig"
)

// jobEnviron returns the environment that the job gives Terraform: its own, and the input
// terraform-env.
func (w *Workspace) jobEnviron() []string { return slices.Concat(w.environ, w.Inputs.TerraformEnv) }

// secrets returns the secrets in Terraform's environment. All in terraform-env are some, also the parts
// of lists and objects.
func (w *Workspace) secrets() []string {
	all := secrets(slices.Concat(w.jobEnviron(), variables(w.Target)), w.inRoot(w.Target.Dir))
	for _, entry := range w.Inputs.TerraformEnv {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "TF_VAR_") {
			all = append(all, literals(value)...)
		}
	}
	return all
}

// secrets returns the values of the root module's sensitive variables that are set in the
// environment, and OpenTofu's encryption keys. Terraform hides what it knows to be sensitive,
// but an error of a provider or a provisioner may still contain such a value. Each text in a
// list or an object counts as a secret of its own.
func secrets(environ []string, dir string) []string {
	values := map[string][]string{}
	var all []string
	for _, v := range environ {
		// OpenTofu's keys: https://opentofu.org/docs/language/state/encryption/
		if value, ok := strings.CutPrefix(v, "TF_ENCRYPTION="); ok && value != "" {
			all = append(append(all, value), literals(value)...)
			for _, assigned := range assignment.FindAllStringSubmatch(value, -1) {
				all = append(all, unquote(assigned[1]))
			}
		}
		if name, value, ok := strings.Cut(v, "="); ok && strings.HasPrefix(name, "TF_VAR_") {
			name = strings.TrimPrefix(name, "TF_VAR_")
			values[name] = append(values[name], value) // Terraform decides which one it uses: hide all
		}
	}
	if len(values) == 0 {
		return all
	}
	// Ignore the error: Terraform can't read such a module either, and explains it better.
	module, _ := tfconfig.LoadModule(dir)
	for name, given := range values {
		if v := module.Variables[name]; v == nil || !v.Sensitive {
			continue
		}
		for _, value := range given {
			all = append(append(all, value), literals(value)...)
		}
	}
	return all
}

// assignment matches an attribute that is set to a quoted text.
var assignment = regexp.MustCompile(`=\s*"((?:[^"\\]|\\.)*)"`)

// literals returns the texts and numbers in a list or an object, which is written in Terraform's
// language or in JSON. Names of attributes are left out.
func literals(value string) (all []string) {
	if trimmed := strings.TrimSpace(value); !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") {
		return nil // a text, which has no parts
	}
	// Only the lexer is safe with hostile input: HCL's parser recurses without a limit.
	tokens, _ := hclsyntax.LexExpression([]byte(value), "", hcl.InitialPos)
	var quoted strings.Builder
	for i, tk := range tokens {
		switch tk.Type {
		case hclsyntax.TokenNumberLit:
			all = append(all, string(tk.Bytes))
		case hclsyntax.TokenOQuote:
			quoted.Reset()
		case hclsyntax.TokenQuotedLit:
			quoted.Write(tk.Bytes)
		case hclsyntax.TokenCQuote:
			if next := tokens[min(i+1, len(tokens)-1)].Type; next != hclsyntax.TokenColon && next != hclsyntax.TokenEqual {
				all = append(all, unquote(quoted.String()))
			}
		}
	}
	return all
}

// unquote resolves the escapes of HCL, which are a subset of Go's, or those of JSON.
func unquote(s string) string {
	if text, err := strconv.Unquote(`"` + s + `"`); err == nil {
		return text
	}
	var text string
	if json.Unmarshal([]byte(`"`+s+`"`), &text) == nil {
		return text
	}
	return s
}
