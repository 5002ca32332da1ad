package atmos

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// description is what is read of `atmos describe component` and `atmos describe stacks`.
type description struct {
	Info struct {
		Path string `json:"component_path"`
		Type string `json:"component_type"`
	} `json:"component_info"`
	Component   string                     `json:"component"`
	Manifest    string                     `json:"atmos_stack_file"`
	Command     string                     `json:"command"`
	Workspace   string                     `json:"workspace"`
	Vars        map[string]json.RawMessage `json:"vars"`
	Env         map[string]any             `json:"env"`
	Backend     any                        `json:"backend"`
	BackendType string                     `json:"backend_type"`
	Providers   any                        `json:"providers"`

	// With these, newer versions write files into the root module's folder, or fetch it.
	Generate          any `json:"generate"`
	RequiredProviders any `json:"required_providers"`
	RequiredVersion   any `json:"required_version"`
	Source            any `json:"source"`
	Provision         any `json:"provision"`

	Config struct {
		Components struct {
			Terraform struct {
				AutoGenerateBackendFile *bool `json:"auto_generate_backend_file"`
			} `json:"terraform"`
		} `json:"components"`
	} `json:"atmos_cli_config"`
	Metadata struct {
		Type    string `json:"type"`
		Enabled *bool  `json:"enabled"`
		Locked  bool   `json:"locked"`
	} `json:"metadata"`
	Settings struct {
		GitHub struct {
			ActionsEnabled *bool `json:"actions_enabled"`
			EnabledDefault bool  `json:"actions_enabled_default"`
		} `json:"github"`
		Integrations struct {
			GitHub struct {
				GitOps gitops `json:"gitops"`
			} `json:"github"`
		} `json:"integrations"`
		DependsOn dependencies `json:"depends_on"`
	} `json:"settings"`
	Dependencies struct {
		Components dependencies   `json:"components"`
		Files      dependentPaths `json:"files"`
		Folders    dependentPaths `json:"folders"`
	} `json:"dependencies"`

	given  map[string]json.RawMessage
	asText bool  // its templates are text: see list
	unfit  error // why it can't be read: see check
}

// UnmarshalJSON remembers which members there are. If a member is text instead of something
// else, it may be a template: check says whether that is an error.
func (d *description) UnmarshalJSON(content []byte) error {
	type plain description // without this method
	if err := json.Unmarshal(content, &d.given); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	given := d.given
	err := decoder.Decode((*plain)(d))
	d.given = given
	if !bytes.Contains(content, []byte("{{")) {
		return explainType(err)
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		d.unfit, err = explainType(err), nil
	}
	return err
}

// explainType says in YAML's words which member has the wrong type.
func explainType(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) || wrong.Field == "" {
		return err
	}
	want := "a mapping"
	switch wrong.Type.Kind() {
	case reflect.Bool:
		want = "true or false"
	case reflect.Slice:
		want = "a list"
	case reflect.String:
		want = "a text"
	}
	kind, _, _ := strings.Cut(wrong.Value, " ")
	return fmt.Errorf("%s: write %s instead of %s", wrong.Field, want, cmp.Or(map[string]string{
		"string": "a text", "array": "a list", "object": "a mapping", "number": "a number", "bool": "true or false",
	}[kind], wrong.Value))
}

// inStacks are the members that each description must have. If a version of Atmos left one
// out, a default would be taken for it.
var inStacks = []string{"component", "settings", "metadata", "vars", "env", "backend", "backend_type", "providers", "command", "workspace"}

// lacking is the first of these members that is missing, or that has no value and needs one;
// empty if there is none.
func (d description) lacking(members ...string) string {
	for _, name := range members {
		value, is := d.given[name]
		empty := string(value) == `""` || string(value) == "null"
		if !is || empty && slices.Contains([]string{"component", "workspace", "command"}, name) {
			return name
		}
	}
	return ""
}

func (d description) disabled() bool { return d.Metadata.Enabled != nil && !*d.Metadata.Enabled }

// listed says that these actions plan the component: it is not abstract and not disabled, and
// its settings turn the actions on.
func (d description) listed() bool {
	return d.Metadata.Type != "abstract" && !d.disabled() && d.actionsEnabled()
}

func (d description) actionsEnabled() bool {
	if d.Settings.GitHub.ActionsEnabled == nil {
		return d.Settings.GitHub.EnabledDefault
	}
	return *d.Settings.GitHub.ActionsEnabled
}

// forgotten says that these actions would plan the component if its settings said anything about
// them.
func (d description) forgotten() bool {
	return d.Metadata.Type != "abstract" && !d.disabled() && d.Settings.GitHub.ActionsEnabled == nil && !d.Settings.GitHub.EnabledDefault
}

// sections are the members that reach Terraform, by their names in a manifest. Members that
// older versions do not have are there only if they have a value.
func (d description) sections() map[string]any {
	vars := make(map[string]any)
	for name, value := range d.Vars {
		vars[name] = decoded(value)
	}
	all := map[string]any{
		"vars": vars, "env": d.Env, "backend": d.Backend, "backend_type": d.BackendType,
		"providers": d.Providers, "command": d.Command, "component": d.Component,
	}
	for name, value := range map[string]any{
		"generate": d.Generate, "required_providers": d.RequiredProviders, "required_version": d.RequiredVersion,
		"source": d.Source, "provision": d.Provision,
	} {
		if text := canonical(value); text != "null" && text != "{}" && text != `""` && text != "[]" {
			all[name] = value
		}
	}
	return all
}

func decoded(content json.RawMessage) (value any) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return string(content) // it was JSON before
	}
	return value
}

// resolved are the sections as canonical JSON, for the digest. Absolute paths are replaced,
// since another checkout has others.
func (a Project) resolved(d description) map[string][]string {
	all := map[string][]string{}
	sections := d.sections()
	if d.asText { // templates may read these
		sections["settings"], sections["metadata"] = d.given["settings"], d.given["metadata"]
	}
	for name, value := range sections {
		all[strings.ReplaceAll(name, "_", " ")] = []string{strings.ReplaceAll(canonical(value), a.Root, ".")}
	}
	return all
}

// canonical is a value as JSON with sorted keys.
func canonical(value any) string {
	text, err := json.Marshal(value)
	if err == nil { // twice, since Marshal copies a RawMessage as it is
		var any any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err = decoder.Decode(&any); err == nil {
			text, err = json.Marshal(any)
		}
	}
	if err != nil {
		panic(err) // it was JSON before
	}
	return string(text)
}
