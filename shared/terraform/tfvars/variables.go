// Package tfvars tells which values root variables have, as far as Git says it: by Terraform's
// own rules and order, from the files and settings that Terraform would read ([Read]).
package tfvars

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/mattn/go-shellwords"
	"github.com/terraform-gitops/gitops/shared/terraform/modules"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Sources are where the values of root variables come from.
type Sources struct {
	Dir     string // the root module's folder, with the files that Terraform loads by itself
	Program string // its name; see package program
	// VarFiles are given as -var-file, absolute, in this order.
	VarFiles []string
	// Env is what settings in Git add to Terraform's environment. It overrides Job, the
	// job's environment.
	Env map[string]string
	Job []string
	// Values are in a file that comes last, as JSON, by name.
	Values map[string]json.RawMessage
}

// Values is what is known about the values of root variables.
type Values struct {
	// Given lists the variables whose values are not known from Git, sorted: they come from
	// the job's environment, or from a file that is not in the checkout.
	Given []string

	values   map[string][]cty.Value // by name: Git says one of these; none is right if empty
	given    map[string]bool
	declared map[string]*declaredVariable
}

// declaredVariable is a variable block of the root module.
type declaredVariable struct {
	literal   bool // a value in the environment is text, and not an expression
	fallback  cty.Value
	ephemeral bool
}

// Read reads what Git says of root variables, by Terraform's own rules. Of several
// values the last one counts: TF_VAR_ variables, terraform.tfvars, terraform.tfvars.json,
// *.auto.tfvars and *.auto.tfvars.json, what TF_CLI_ARGS_plan and TF_CLI_ARGS name, and
// the files that are given.
// https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence
func Read(s Sources) (*Values, error) {
	v := &Values{values: map[string][]cty.Value{}, given: map[string]bool{}}
	var err error
	if v.declared, err = declaredVariables(s.Dir, s.Program); err != nil {
		return nil, err
	}
	job := map[string]string{}
	for _, entry := range s.Job {
		name, value, _ := strings.Cut(entry, "=")
		job[name] = value // the last of equal names counts
	}
	for name := range v.declared {
		variable := "TF_VAR_" + name
		if text, ok := s.Env[variable]; ok {
			v.text(name, text)
		} else if _, ok := job[variable]; ok {
			v.unknown(name)
		}
	}
	files, err := autoLoaded(s.Dir)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := v.file(file); err != nil {
			return nil, err
		}
	}
	for _, variable := range []string{"TF_CLI_ARGS_plan", "TF_CLI_ARGS"} {
		text, git := s.Env[variable]
		if !git {
			text = job[variable]
		}
		if err := v.arguments(s.Dir, text, git); err != nil {
			return nil, fmt.Errorf("%s: %w", variable, err)
		}
	}
	for _, file := range s.VarFiles {
		if err := v.file(file); err != nil {
			return nil, err
		}
	}
	for name, value := range s.Values {
		if v.declared[name] == nil {
			continue
		}
		ty, err := ctyjson.ImpliedType(value)
		if err != nil {
			return nil, fmt.Errorf("the value of variable %q can't be read", name)
		}
		known, err := ctyjson.Unmarshal(value, ty)
		if err != nil {
			return nil, fmt.Errorf("the value of variable %q can't be read", name)
		}
		v.set(name, known)
	}
	// A variable without a default that has no value here got one in the job that planned.
	for name, d := range v.declared {
		if _, known := v.values[name]; !known && d.fallback == cty.NilVal && !d.ephemeral {
			v.given[name] = true
		}
	}
	v.Given = slices.Sorted(maps.Keys(v.given))
	return v, nil
}

func (v *Values) set(name string, values ...cty.Value) {
	delete(v.given, name)
	v.values[name] = values
}

func (v *Values) unknown(name string) {
	if v.declared[name] != nil {
		delete(v.values, name)
		v.given[name] = true
	}
}

// text sets a variable to a text, as the environment and -var do.
func (v *Values) text(name, text string) {
	d := v.declared[name]
	if d == nil {
		return
	}
	if d.literal {
		v.set(name, cty.StringVal(text))
		return
	}
	expression, problems := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
	if problems.HasErrors() {
		v.set(name) // Terraform refuses it, too: no value is right
		return
	}
	value, problems := expression.Value(nil)
	if problems.HasErrors() {
		v.set(name)
		return
	}
	v.set(name, value)
}

// file reads a variable definitions file. If it does not exist, it could set any variable,
// so no value is known any more.
func (v *Values) file(name string) error {
	parser := hclparse.NewParser()
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		for name := range v.declared {
			v.unknown(name)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("values of variables: %w", err)
	}
	parse := parser.ParseHCL
	if strings.HasSuffix(name, ".json") {
		parse = parser.ParseJSON
	}
	parsed, problems := parse(text, name)
	if problems.HasErrors() {
		return fmt.Errorf("values of variables: %s can't be read", name)
	}
	attributes, problems := parsed.Body.JustAttributes()
	if problems.HasErrors() {
		return fmt.Errorf("values of variables: %s can't be read", name)
	}
	for name, attribute := range attributes {
		if v.declared[name] == nil {
			continue
		}
		value, problems := attribute.Expr.Value(nil)
		if problems.HasErrors() {
			return fmt.Errorf("the value of variable %q in %s can't be read", name, attribute.Range.Filename)
		}
		v.set(name, value)
	}
	return nil
}

// arguments reads the -var and -var-file flags in a TF_CLI_ARGS variable. If that does not
// come from Git, the values of -var are not known.
func (v *Values) arguments(dir, text string, git bool) error {
	if text == "" {
		return nil
	}
	words, err := shellwords.Parse(text) // as Terraform does
	if err != nil {
		return err
	}
	for i := 0; i < len(words); i++ {
		flag, value, whole := strings.Cut(words[i], "=")
		flag = "-" + strings.TrimLeft(flag, "-")
		if flag != "-var" && flag != "-var-file" || !strings.HasPrefix(words[i], "-") {
			continue
		}
		if !whole {
			if i++; i == len(words) {
				break
			}
			value = words[i]
		}
		if flag == "-var-file" {
			if !filepath.IsAbs(value) {
				value = filepath.Join(dir, value)
			}
			if err := v.file(value); err != nil {
				return err
			}
			continue
		}
		switch name, value, _ := strings.Cut(value, "="); {
		case git:
			v.text(strings.TrimSpace(name), value)
		default:
			v.unknown(strings.TrimSpace(name))
		}
	}
	return nil
}

// autoLoaded lists the variable definitions files that Terraform loads by itself, in order.
func autoLoaded(dir string) (files []string, err error) {
	for _, name := range []string{"terraform.tfvars", "terraform.tfvars.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			files = append(files, filepath.Join(dir, name))
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("values of variables: %w", err)
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".auto.tfvars") || strings.HasSuffix(name, ".auto.tfvars.json") {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files, nil
}

// declaredVariables reads the variable blocks of the root module. Override files come last.
func declaredVariables(dir, program string) (map[string]*declaredVariable, error) {
	names, err := modules.ConfigFiles(dir, program)
	if err != nil {
		return nil, fmt.Errorf("variables of the root module: %w", err)
	}
	slices.SortStableFunc(names, func(a, b string) int {
		switch x, y := overrides(a), overrides(b); {
		case x == y:
			return strings.Compare(a, b)
		case x:
			return 1
		}
		return -1
	})
	all := map[string]*declaredVariable{}
	parser := hclparse.NewParser()
	for _, name := range names {
		parse := parser.ParseHCLFile
		if strings.HasSuffix(name, ".json") {
			parse = parser.ParseJSONFile
		}
		file, problems := parse(filepath.Join(dir, name))
		if file == nil || problems.HasErrors() {
			return nil, fmt.Errorf("variables of the root module: %s can't be read", name)
		}
		content, _, _ := file.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "variable", LabelNames: []string{"name"}}}})
		for _, block := range content.Blocks {
			d := all[block.Labels[0]]
			if d == nil {
				d = &declaredVariable{literal: true, fallback: cty.NilVal}
				all[block.Labels[0]] = d
			}
			d.read(block.Body)
		}
	}
	return all, nil
}

func (d *declaredVariable) read(body hcl.Body) {
	content, _, _ := body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "type"}, {Name: "default"}, {Name: "ephemeral"}}})
	if a := content.Attributes["type"]; a != nil {
		kind := hcl.ExprAsKeyword(a.Expr)
		if text, problems := a.Expr.Value(nil); kind == "" && !problems.HasErrors() && text.Type() == cty.String && text.IsKnown() && !text.IsNull() {
			kind = text.AsString() // Terraform 0.11 had it in quotes
		}
		d.literal = kind == "string" || kind == "number" || kind == "bool"
	}
	if a := content.Attributes["default"]; a != nil {
		if value, problems := a.Expr.Value(nil); !problems.HasErrors() {
			d.fallback = value
		}
	}
	if a := content.Attributes["ephemeral"]; a != nil {
		value, problems := a.Expr.Value(nil)
		d.ephemeral = !problems.HasErrors() && value.RawEquals(cty.True)
	}
}

// overrides reports whether a file is an override file, which is merged over the others.
// https://developer.hashicorp.com/terraform/language/files/override
func overrides(name string) bool {
	for _, suffix := range []string{".json", ".tf", ".tofu"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name == "override" || strings.HasSuffix(name, "_override")
}
