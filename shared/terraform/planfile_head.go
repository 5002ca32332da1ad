package terraform

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// readPlan skims tfplan, a protocol buffer, for the program's version, the backend, and
// whether ephemeral variables were set. Only these fields are looked at; they are the same
// in Terraform and OpenTofu, but for the last ones:
//
//	message Plan    { Backend backend = 13; string terraform_version = 14; ... }
//	message Backend { string type = 1; string workspace = 3; ... }
//	Terraform: repeated string apply_time_variables = 28;
//	OpenTofu:  repeated string ephemeral_variables = 22; // Terraform has another field 22
func (p *Planfile) readPlan(entries map[string]*zip.File) error {
	entry := entries["tfplan"]
	if entry == nil {
		return errors.New("it is not a planfile: it holds no tfplan")
	}
	r, err := entry.Open()
	if err != nil {
		return fmt.Errorf("tfplan: %w", err)
	}
	defer func() { _ = r.Close() }()
	err = eachField(bufio.NewReader(io.LimitReader(r, maxPlanBytes)), func(field uint64, r *io.LimitedReader) error {
		switch field {
		case 13:
			return eachField(bufio.NewReader(r), func(field uint64, r *io.LimitedReader) (err error) {
				switch field {
				case 1:
					p.Backend, err = shortString(r)
				case 3:
					p.Workspace, err = shortString(r)
				}
				return err
			})
		case 14:
			p.TerraformVersion, err = shortString(r)
		case 22:
			p.field22, err = appendString(p.field22, r)
		case 28:
			p.field28, err = appendString(p.field28, r)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("tfplan: %w", err)
	}
	return nil
}

// Ephemeral names the ephemeral variables that the plan was made with values of. They are
// not in the planfile, so that its apply needs them again. program is the one that made the
// plan, [Terraform] or [OpenTofu].
func (p *Planfile) Ephemeral(program string) []string {
	if program == OpenTofu {
		return p.field22
	}
	return p.field28
}

// eachField calls each for the length-delimited fields of a protocol buffer and
// skips the others, and what each leaves unread.
// https://protobuf.dev/programming-guides/encoding/
func eachField(r *bufio.Reader, each func(field uint64, r *io.LimitedReader) error) error {
	for {
		tag, err := binary.ReadUvarint(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch tag & 7 {
		case 0:
			_, err = binary.ReadUvarint(r)
		case 1:
			_, err = r.Discard(8)
		case 5:
			_, err = r.Discard(4)
		case 2:
			var length uint64
			if length, err = binary.ReadUvarint(r); err != nil {
				break
			}
			if length > maxPlanBytes {
				return errors.New("it is damaged: a field is longer than the file")
			}
			field := &io.LimitedReader{R: r, N: int64(length)}
			if err = each(tag>>3, field); err != nil {
				return err
			}
			if _, err = io.Copy(io.Discard, field); err == nil && field.N > 0 {
				err = io.ErrUnexpectedEOF
			}
		default:
			return errors.New("it is damaged: a field has an unknown encoding")
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
}

const maxName = 4096 // bytes

func shortString(r *io.LimitedReader) (string, error) {
	if r.N > maxName {
		return "", fmt.Errorf("it is damaged: a name of %d bytes", r.N)
	}
	b, err := io.ReadAll(r)
	return string(b), err
}

// maxNames is how many variables are ephemeral in a plan at most.
const maxNames = 10_000

// appendString adds a name. Field 22, which in Terraform's planfiles is another, may hold
// anything, so what is too long for a name is none.
func appendString(to []string, r *io.LimitedReader) ([]string, error) {
	if len(to) >= maxNames {
		return to, errors.New("it is damaged: too many ephemeral variables")
	}
	if r.N > maxName {
		return append(to, ""), nil
	}
	name, err := shortString(r)
	return append(to, name), err
}

// readState reads lineage and serial from the beginning of tfstate, the state as
// it was refreshed for the plan, whose meta data is that of the state in the
// backend. Terraform compares just these before it applies.
func (p *Planfile) readState(entries map[string]*zip.File) error {
	entry := entries["tfstate"]
	if entry == nil {
		return errors.New("it is not a planfile: it holds no tfstate")
	}
	r, err := entry.Open()
	if err != nil {
		return fmt.Errorf("tfstate: %w", err)
	}
	defer func() { _ = r.Close() }()
	if err := p.readStateHead(jsontext.NewDecoder(io.LimitReader(r, maxStateHead))); err != nil {
		return fmt.Errorf("tfstate: %w", err)
	}
	// The state before the refresh, which Terraform keeps since 0.15.4: a refresh that finds
	// nothing any more does not make it one that never held anything.
	before := entries["tfstate-prev"]
	if before == nil {
		before = entry
	}
	p.NoResources, err = noResources(before)
	return err
}

// noResources reports whether a state lists no resource. It reads what comes before them,
// which is the values of outputs.
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

func (p *Planfile) readStateHead(d *jsontext.Decoder) error {
	if token, err := d.ReadToken(); err != nil {
		return err
	} else if token.Kind() != '{' {
		return errors.New("it is not a state")
	}
	for serial, lineage := false, false; !serial || !lineage; {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if name.Kind() != '"' {
			return errors.New("it has no serial, or no lineage")
		}
		switch name.String() {
		case "serial":
			serial = true
			err = json.UnmarshalDecode(d, &p.Serial)
		case "lineage":
			lineage = true
			err = json.UnmarshalDecode(d, &p.Lineage)
		case "version", "terraform_version":
			err = d.SkipValue()
		default: // the values, which come after what is looked for
			return errors.New("it has no serial, or no lineage, before its values")
		}
		if err != nil {
			return err
		}
	}
	return nil
}
