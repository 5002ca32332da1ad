package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// dynamic says whether to process a component's templates and to call its functions.
type dynamic struct {
	templates, functions bool
	// lenient replaces the value of a failed function by "(computed)". Otherwise it is an error.
	lenient bool
}

// evaluate processes the templates, and then the functions, of a component's sections.
func (c *component) evaluate(d dynamic) (err error) {
	if d.templates && c.project.templates {
		data := section{"vars": c.vars, "settings": c.settings, "env": c.env, "metadata": c.metadata, "stack": c.stack.name, "atmos_stack": c.stack.name, "atmos_component": c.name}
		if err = c.each(func(text string) (any, error) { return c.template(text, data) }); err != nil {
			return err
		}
	}
	// 1.227 doesn't call functions of a disabled component.
	if d.functions && (!modern() || !c.disabled()) {
		return c.each(func(text string) (any, error) {
			value, err := c.call(text)
			if err != nil && d.lenient && modern() {
				return "(computed)", nil
			}
			return value, err
		})
	}
	return nil
}

// each replaces all texts in the sections that may contain templates or functions.
func (c *component) each(replace func(string) (any, error)) error {
	var failed error
	var walk func(any) any
	walk = func(value any) any {
		switch v := value.(type) {
		case string:
			replaced, err := replace(v)
			failed = errors.Join(failed, err)
			return replaced
		case section:
			m := section{}
			for key, element := range v {
				m[key] = walk(element)
			}
			return m
		case []any:
			list := []any{}
			for _, element := range v {
				list = append(list, walk(element))
			}
			return list
		}
		return value
	}
	for _, s := range []*section{&c.vars, &c.env, &c.settings, &c.backend, &c.providers} {
		*s, _ = walk(*s).(section)
	}
	if command, ok := walk(c.command).(string); ok {
		c.command = command
	}
	return failed
}

// components is the value of `atmos` in templates.
type components struct{ project *project }

// Component is the function atmos.Component.
func (a components) Component(name, stack string) (section, error) {
	c, err := a.project.component(name, stack)
	if err != nil {
		return nil, err
	}
	outputs, err := c.outputs()
	return section{"vars": c.vars, "settings": c.settings, "outputs": outputs}, err
}

func (c *component) template(text string, data section) (any, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, err := template.New("describe-component").Funcs(template.FuncMap{
		"atmos": func() components { return components{c.project} },
		"toJson": func(value any) (string, error) {
			text, err := json.Marshal(value)
			return string(text), err
		},
	}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("stand-in: template of %s: %w", c.name, err)
	}
	var out strings.Builder
	err = t.Execute(&out, data)
	return out.String(), err
}

// errNotProvisioned says that there is no state. A default is used instead, if there is one.
var errNotProvisioned = errors.New("terraform state not provisioned")

// call calls the function in a text, if there is one.
func (c *component) call(text string) (any, error) {
	name, rest, _ := strings.Cut(text, " ")
	switch name {
	case "!terraform.output", "!terraform.state":
		component, stack, expression, err := c.reads(rest)
		if err != nil {
			return nil, err
		}
		value, err := c.read(name, component, stack, expression)
		if err != nil {
			return nil, fmt.Errorf("%w for component %s in stack %s (in %s)", err, component, stack, text)
		}
		return value, nil
	case "!env":
		words, err := split(rest)
		if err != nil {
			return nil, err
		}
		if value, ok := os.LookupEnv(words[0]); ok {
			return value, nil
		}
		if len(words) > 1 {
			return words[1], nil
		}
		return nil, nil
	case "!exec":
		out, err := exec.Command("sh", "-c", rest).Output()
		if err != nil {
			return nil, fmt.Errorf("%w while evaluating %s", err, text)
		}
		return decoded(strings.TrimSpace(string(out))), nil
	case "!template":
		return decoded(rest), nil
	}
	if tagged.MatchString(text) && strings.HasPrefix(text, "!") {
		return nil, fmt.Errorf("stand-in: no function %s", name)
	}
	return text, nil
}

func decoded(text string) any {
	var value any
	if json.Unmarshal([]byte(text), &value) == nil {
		return value
	}
	return text
}

// split splits a function's arguments as Atmos does: at spaces that are not in quotes.
func split(text string) ([]string, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.TrimLeadingSpace, r.LazyQuotes = ' ', true, true
	return r.Read()
}

// reads parses the arguments of a function that reads another component.
func (c *component) reads(text string) (component, stack, expression string, err error) {
	words, err := split(text)
	switch {
	case err != nil:
		return "", "", "", err
	case len(words) == 2:
		return words[0], c.stack.name, words[1], nil
	case len(words) == 3:
		return words[0], words[1], words[2], nil
	}
	return "", "", "", fmt.Errorf("invalid number of arguments in the Atmos YAML function: %s", text)
}

func (c *component) read(function, name, stack, expression string) (any, error) {
	other, err := c.project.component(name, stack)
	if err != nil {
		return nil, err
	}
	var outputs section
	if function == "!terraform.state" {
		outputs, err = other.state()
	} else {
		if modern() {
			line := fmt.Sprintf("Fetching %s output from %s in %s", expression, name, stack)
			fmt.Fprintf(os.Stderr, "%s\n\r✓ %s\n\r✓ %s\n", line, line, line)
		}
		outputs, err = other.outputs()
	}
	path, fallback, defaults := strings.Cut(expression, " // ")
	if err != nil && !(defaults && errors.Is(err, errNotProvisioned)) {
		return nil, err
	}
	value, err := yq(outputs, strings.TrimSpace(path))
	if err == nil && value == nil && defaults {
		return decoded(strings.TrimSpace(fallback)), nil
	}
	return value, err
}

var step = regexp.MustCompile(`^(\.?[\w-]+|\.?\["[^"]+"\]|\[\d+\])`)

// yq evaluates a path, which consists of outputs, members and indexes.
func yq(value any, path string) (any, error) {
	for path != "" && path != "." {
		at := step.FindString(path)
		if at == "" {
			return nil, fmt.Errorf("stand-in: no YQ but a path: %q", path)
		}
		path = path[len(at):]
		key := strings.Trim(strings.TrimPrefix(at, "."), `[]"`)
		switch v := value.(type) {
		case section:
			value = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			if value = nil; err == nil && i < len(v) {
				value = v[i]
			}
		default:
			return nil, nil
		}
	}
	return value, nil
}

// outputs returns the component's outputs. Atmos runs init and output to get them.
func (c *component) outputs() (section, error) {
	config := c.project.cli.Components.Terraform
	if config.AutoGenerateBackendFile {
		if err := c.writeBackend(); err != nil {
			return nil, err
		}
	}
	run := func(args ...string) ([]byte, error) {
		var out, said bytes.Buffer
		cmd := exec.Command(c.command, args...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.path(), os.Environ(), &out, &said
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("terraform %s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
		}
		return out.Bytes(), nil
	}
	if _, err := run("init", "-reconfigure", "-no-color"); err != nil {
		return nil, err
	}
	if c.hasWorkspaces() {
		if _, err := run("workspace", "select", c.workspace()); err != nil {
			if _, err := run("workspace", "new", c.workspace()); err != nil {
				return nil, err
			}
		}
	}
	out, err := run("output", "-json", "-no-color")
	if err != nil {
		return nil, err
	}
	return values(out)
}

// values returns the values of outputs from the JSON of Terraform's output command or of a state.
func values(content []byte) (section, error) {
	var outputs map[string]struct{ Value any }
	if err := json.Unmarshal(content, &outputs); err != nil {
		return nil, err
	}
	all := section{}
	for name, output := range outputs {
		all[name] = output.Value
	}
	return all, nil
}

// state reads the outputs from a state in a file.
func (c *component) state() (section, error) {
	if c.backendType != "local" {
		return nil, fmt.Errorf("stand-in: no !terraform.state of a backend %s", c.backendType)
	}
	file := filepath.Join(c.path(), "terraform.tfstate")
	if path, ok := c.backend["path"].(string); ok {
		file = filepath.Join(c.path(), path)
	}
	if c.workspace() != "default" {
		dir, _ := c.backend["workspace_dir"].(string)
		if dir == "" {
			dir = "terraform.tfstate.d"
		}
		file = filepath.Join(c.path(), dir, c.workspace(), "terraform.tfstate")
	}
	content, err := os.ReadFile(file)
	if err != nil && !modern() {
		return section{}, nil
	}
	if err != nil {
		return nil, errNotProvisioned
	}
	var state struct{ Outputs json.RawMessage }
	if err := json.Unmarshal(content, &state); err != nil {
		return nil, err
	}
	return values(state.Outputs)
}

// hasWorkspaces reports whether Atmos selects a workspace for the component.
func (c *component) hasWorkspaces() bool {
	enabled := c.project.cli.Components.Terraform.WorkspacesEnabled
	return !slices.Contains([]string{"http"}, c.backendType) && (enabled == nil || *enabled)
}
