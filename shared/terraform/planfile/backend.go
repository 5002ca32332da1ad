package planfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// CompareBackend compares the planfile's backend with the one that init has set up, given as
// its type and its settings in JSON. It names what differs, but never values, which may be
// secret. Terraform applies a plan in the planfile's backend, whatever init has set up.
func (p *File) CompareBackend(kind string, config []byte) ([]string, error) {
	if p.planned.elsewhere {
		return []string{"backend: the planfile has a state_store, which can't be compared"}, nil
	}
	if p.Backend != kind {
		return []string{fmt.Sprintf("backend: %q, and init has set up %q", p.Backend, kind)}, nil
	}
	planned, err := p.backendSettings()
	if err != nil {
		return nil, err
	}
	settings, err := readSettings(config)
	if err != nil {
		return nil, err
	}
	var differs []string
	for name := range planned {
		if !equalSettings(planned[name], settings[name]) {
			differs = append(differs, fmt.Sprintf("backend %s: its setting %.100q differs from the one that init has set up", kind, name))
		}
	}
	for name := range settings {
		if _, is := planned[name]; !is && !emptySetting(settings[name]) {
			differs = append(differs, fmt.Sprintf("backend %s: it has no setting %.100q", kind, name))
		}
	}
	slices.Sort(differs)
	return differs, nil
}

// backendSettings are the settings of the planfile's backend, in the form of decoded JSON.
func (p *File) backendSettings() (map[string]any, error) {
	if len(p.planned.backend) == 0 {
		return nil, nil
	}
	value, err := decodeImplied(p.planned.backend)
	if err != nil {
		return nil, fmt.Errorf("the settings of the planfile's backend: %w", err)
	}
	text, err := ctyjson.Marshal(value, value.Type())
	if err != nil {
		return nil, errors.New("the settings of the planfile's backend can't be read")
	}
	return readSettings(text)
}

func readSettings(text []byte) (settings map[string]any, err error) {
	if len(text) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&settings); err != nil {
		return nil, errors.New("the settings of the backend can't be read")
	}
	return settings, nil
}

// equalSettings compares settings. Null and empty values equal missing ones.
func equalSettings(a, b any) bool {
	if emptySetting(a) || emptySetting(b) {
		return emptySetting(a) && emptySetting(b)
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok {
			return false
		}
		for name := range b {
			if _, is := a[name]; !is && !emptySetting(b[name]) {
				return false
			}
		}
		for name := range a {
			if !equalSettings(a[name], b[name]) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equalSettings)
	}
	return reflect.DeepEqual(a, b)
}

func emptySetting(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		for _, member := range v {
			if !emptySetting(member) {
				return false
			}
		}
		return true
	case []any:
		return len(v) == 0
	}
	return false
}
