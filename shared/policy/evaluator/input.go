package evaluator

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/open-policy-agent/opa/v1/ast"
)

// maxShared is the length in bytes up to which equal strings of a plan share memory. A plan has
// most of them several times: before and after, in the prior state and in the planned values.
const maxShared = 256

// decodePlan reads plan JSON: one object and nothing else. It is the whole of it, so that policies
// see what Terraform prints.
func decodePlan(r io.Reader) (ast.Value, error) {
	v, err := decode(r)
	if _, ok := v.(ast.Object); err == nil && !ok {
		return nil, errors.New("it is not an object")
	}
	return v, err
}

// decode reads one JSON value and nothing else.
func decode(r io.Reader) (ast.Value, error) {
	d := &decoder{dec: jsontext.NewDecoder(r), strings: map[string]*ast.Term{}, values: map[digest]*ast.Term{}, seed: maphash.MakeSeed(), seed2: maphash.MakeSeed()}
	term, err := d.value()
	if err == nil {
		if _, more := d.dec.ReadToken(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows it")
		}
	}
	if err != nil {
		return nil, plain(err)
	}
	return term.Value, nil
}

// plain is an error without the names and the text that jsontext adds: they may be secret.
func plain(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return syntax.Err
	}
	return err
}

// repeated are members of a plan whose values are there several times: what a resource is like before
// and after, in the prior state and in the planned values.
var repeated = []string{"before", "after", "values", "before_sensitive", "after_sensitive", "sensitive_values", "after_unknown"}

type decoder struct {
	dec     *jsontext.Decoder
	strings map[string]*ast.Term
	// values are those of repeated members, by the digest of their JSON.
	values      map[digest]*ast.Term
	seed, seed2 maphash.Seed
	inner       bool // decodes the value of a repeated member
}

type digest [2]uint64

// shared decodes the value of a repeated member. Equal ones share memory.
func (d *decoder) shared() (*ast.Term, error) {
	raw, err := d.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	key := digest{maphash.Bytes(d.seed, raw), maphash.Bytes(d.seed2, raw)}
	if term := d.values[key]; term != nil {
		return term, nil
	}
	inner := *d
	inner.inner = true
	// Names were checked when it was read.
	inner.dec = jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true))
	term, err := inner.value()
	d.values[key] = term
	return term, err
}

func (d *decoder) value() (*ast.Term, error) {
	token, err := d.dec.ReadToken()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return ast.InternedNullTerm, nil
	case 't', 'f':
		return ast.InternedTerm(token.Bool()), nil
	case '"':
		return d.string(token.String()), nil
	case '0':
		return ast.NumberTerm(json.Number(token.String())), nil
	case '[':
		return d.array()
	default: // an object: ReadToken returns nothing else here
		return d.object()
	}
}

func (d *decoder) string(s string) *ast.Term {
	if len(s) > maxShared {
		return ast.StringTerm(s)
	}
	term := d.strings[s]
	if term == nil {
		term = ast.StringTerm(s)
		d.strings[s] = term
	}
	return term
}

func (d *decoder) array() (*ast.Term, error) {
	var terms []*ast.Term
	for d.dec.PeekKind() != ']' {
		term, err := d.value()
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return nil, err
	}
	if len(terms) == 0 {
		return ast.InternedEmptyArray, nil
	}
	return ast.ArrayTerm(terms...), nil
}

func (d *decoder) object() (*ast.Term, error) {
	var members [][2]*ast.Term
	for d.dec.PeekKind() != '}' {
		name, err := d.value() // a name is a string; the decoder refuses another and a duplicate
		if err != nil {
			return nil, err
		}
		var term *ast.Term
		if text, _ := name.Value.(ast.String); !d.inner && slices.Contains(repeated, string(text)) {
			term, err = d.shared()
		} else {
			term, err = d.value()
		}
		if err != nil {
			return nil, err
		}
		members = append(members, [2]*ast.Term{name, term})
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return nil, err
	}
	if len(members) == 0 {
		return ast.InternedEmptyObject, nil
	}
	return ast.ObjectTerm(members...), nil
}
