package evaluator

import (
	"encoding/json"
	"errors"
	"io"

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
	d := &decoder{dec: jsontext.NewDecoder(r), strings: map[string]*ast.Term{}}
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

type decoder struct {
	dec     *jsontext.Decoder
	strings map[string]*ast.Term
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
		term, err := d.value()
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
