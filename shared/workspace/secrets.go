package workspace

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/terraform-config-inspect/tfconfig"
)

// secrets are the values of the root module's sensitive variables that the
// environment holds. Terraform itself hides what it knows to be sensitive, but a
// provider's or provisioner's words may hold a value all the same. Of a list or
// an object each text in it counts, too. So do OpenTofu's keys.
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
			values[name] = append(values[name], value) // which of them counts, Terraform decides
		}
	}
	if len(values) == 0 {
		return all
	}
	// What can't be read here Terraform can't read either, and says so better.
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

// assignment is a text that an attribute is set to.
var assignment = regexp.MustCompile(`=\s*"((?:[^"\\]|\\.)*)"`)

// literals are the texts and numbers in a list or object as Terraform reads it
// from a variable, or in JSON, but for the names of attributes.
func literals(value string) (all []string) {
	if trimmed := strings.TrimSpace(value); !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") {
		return nil // a text, which has no parts
	}
	// Tokens, since HCL's parser recurses.
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

// unquote undoes the escapes of HCL, which are among Go's, or of JSON.
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
