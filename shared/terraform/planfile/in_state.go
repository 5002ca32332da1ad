package planfile

import (
	"archive/zip"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// InState is a managed resource instance in a state, without its values.
type InState struct {
	Module, Type, Name string
	Key                any      // a string or a number; nil if it has none
	Attributes         []string // their names, without those in other attributes; nil: not known
}

// EachInState calls resource for each managed resource instance in the planfile's state after
// the refresh, and output for each output of the root module. The error of an encrypted planfile
// is [ErrEncrypted].
func EachInState(path string, resource func(InState), output func(name string)) error {
	err := withZip(path, func(entries map[string]*zip.File) error {
		entry := entries["tfstate"]
		if entry == nil {
			return nil
		}
		r, err := entry.Open()
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }()
		return eachInState(jsontext.NewDecoder(io.LimitReader(r, maxPlanBytes)), resource, output)
	})
	if err != nil {
		return problem.With(problem.Planfile, fmt.Errorf("planfile %s: tfstate: %w", path, err))
	}
	return nil
}

func eachInState(d *jsontext.Decoder, resource func(InState), output func(name string)) error {
	return eachMember(d, func(name string) error {
		switch name {
		case "outputs":
			if d.PeekKind() == 'n' {
				break
			}
			return eachMember(d, func(name string) error {
				output(name)
				return d.SkipValue()
			})
		case "resources":
			if d.PeekKind() == 'n' {
				break
			}
			if _, err := d.ReadToken(); err != nil {
				return err
			}
			for d.PeekKind() != ']' {
				var r stateResource
				if err := json.UnmarshalDecode(d, &r); err != nil {
					return err
				}
				for _, i := range r.Instances {
					if r.Mode == "managed" {
						resource(InState{r.Module, r.Type, r.Name, i.Key, i.Attributes})
					}
				}
			}
			_, err := d.ReadToken()
			return err
		}
		return d.SkipValue()
	})
}

// eachMember reads an object. member reads a member's value.
func eachMember(d *jsontext.Decoder, member func(name string) error) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := member(name.String()); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// stateResource is a resource in a state of version 4.
type stateResource struct {
	Module    string `json:"module"`
	Mode      string `json:"mode"`
	Type      string `json:"type"`
	Name      string `json:"name"`
	Instances []struct {
		Key        any         `json:"index_key"`
		Attributes memberNames `json:"attributes"`
	} `json:"instances"`
}

// memberNames are the names of the members of an object. Their values are skipped.
type memberNames []string

func (m *memberNames) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	*m = memberNames{}
	return eachMember(d, func(name string) error {
		*m = append(*m, name)
		return d.SkipValue()
	})
}
