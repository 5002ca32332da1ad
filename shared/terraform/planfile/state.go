package planfile

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// readState reads lineage and serial from the beginning of tfstate: the state after the
// plan's refresh, with the lineage and serial of the state in the backend. Terraform compares
// only these before it applies.
func (p *File) readState(entries map[string]*zip.File) error {
	entry := entries["tfstate"]
	if entry == nil {
		return errors.New("it is not a planfile: it holds no tfstate")
	}
	r, err := entry.Open()
	if err != nil {
		return fmt.Errorf("tfstate: %w", err)
	}
	defer func() { _ = r.Close() }()
	if p.Lineage, p.Serial, err = ReadPosition(r); err != nil {
		return fmt.Errorf("tfstate: %w", err)
	}
	// The state before the refresh (since Terraform 0.15.4): a state whose resources have all
	// been deleted by somebody else is not one that never had resources.
	before := entries["tfstate-prev"]
	if before == nil {
		before = entry
	}
	p.NoResources, err = noResources(before)
	return err
}

// noResources reports whether a state has no resource. It skips the values of outputs, which
// come first.
func noResources(entry *zip.File) (none bool, err error) {
	r, err := entry.Open()
	if err != nil {
		return false, fmt.Errorf("%s: %w", entry.Name, err)
	}
	defer func() { _ = r.Close() }()
	d := jsontext.NewDecoder(io.LimitReader(r, maxPlanBytes))
	if _, err := d.ReadToken(); err != nil {
		return false, fmt.Errorf("%s: %w", entry.Name, err)
	}
	for {
		name, err := d.ReadToken()
		switch {
		case err != nil:
			return false, fmt.Errorf("%s: %w", entry.Name, err)
		case name.Kind() != '"': // the end of the state
			return true, nil
		case name.String() != "resources":
			err = d.SkipValue()
		default:
			if begin, err := d.ReadToken(); err != nil || begin.Kind() != '[' {
				return err == nil, err // null
			}
			return d.PeekKind() == ']', nil
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w", entry.Name, err)
		}
	}
}

// ReadPosition reads lineage and serial from the beginning of a state: the ID that a state
// keeps, and a number that grows with each change. Its error is io.EOF if r is empty.
func ReadPosition(r io.Reader) (lineage string, serial uint64, err error) {
	d := jsontext.NewDecoder(io.LimitReader(r, maxStateHead))
	if token, err := d.ReadToken(); err != nil {
		return "", 0, err
	} else if token.Kind() != '{' {
		return "", 0, errors.New("it is not a state")
	}
	for hasSerial, hasLineage := false, false; !hasSerial || !hasLineage; {
		name, err := d.ReadToken()
		if err != nil {
			return "", 0, err
		}
		if name.Kind() != '"' {
			return "", 0, errors.New("it has no serial, or no lineage")
		}
		switch name.String() {
		case "serial":
			hasSerial = true
			err = json.UnmarshalDecode(d, &serial)
		case "lineage":
			hasLineage = true
			err = json.UnmarshalDecode(d, &lineage)
		case "version", "terraform_version":
			err = d.SkipValue()
		default: // the values, which come after what is looked for
			return "", 0, errors.New("it has no serial, or no lineage, before its values")
		}
		if err != nil {
			return "", 0, err
		}
	}
	return lineage, serial, nil
}
