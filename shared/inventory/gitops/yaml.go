package gitops

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Limits of one gitops.yaml. The parser's time grows with the square of the keys in a
// mapping, and its stack with the nesting: 1 MiB of "[" would end the process. With these
// limits the worst document takes seconds.
const (
	maxFileBytes = 1 << 20
	maxTokens    = 100_000 // about 16,000 components
	maxNesting   = 32      // gitops.yaml itself needs 5
)

// parseYAML reads the YAML document in a file; nil if it is empty.
func parseYAML(file string, content []byte) (ast.Node, error) {
	fault := func(tk *token.Token, format string, args ...any) error {
		e := &Error{File: file, Line: 1, Column: 1, Message: fmt.Sprintf(format, args...)}
		if tk != nil && tk.Position != nil {
			e.Line, e.Column = tk.Position.Line, tk.Position.Column
		}
		return e
	}
	if !utf8.Valid(content) {
		return nil, fault(nil, "is not UTF-8 text")
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(content), "\ufeff"))
	if len(tokens) > maxTokens {
		return nil, fault(tokens[maxTokens], "is too long: it has more than %d YAML tokens", maxTokens)
	}
	if tk := tooDeep(tokens); tk != nil {
		return nil, fault(tk, "is nested more than %d deep", maxNesting)
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // decode refuses duplicates, with a better message
	if err != nil {
		if at := yaml.Error(nil); errors.As(err, &at) {
			return nil, fault(at.GetToken(), "is not valid YAML: %s%s", problem.OneLine(at.GetMessage()), quotes(content, at.GetToken()))
		}
		return nil, fault(nil, "is not valid YAML: %s", problem.OneLine(err.Error()))
	}
	var body ast.Node
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			line, column := position(doc.Body)
			return nil, &Error{
				File: file, Line: line, Column: column,
				Message: "holds more than one YAML document: keep one, without `---` lines between",
			}
		}
		body = doc.Body
	}
	return body, nil
}

// star is a text that begins with a *, which YAML takes for an alias, and that can be none.
var star = regexp.MustCompile(`(^|[-\s\[{,:])\*[.*\],}\s]`)

// quotes says what to do if the line of a syntax error has such a text.
func quotes(content []byte, tk *token.Token) string {
	if tk == nil || tk.Position == nil {
		return ""
	}
	lines := strings.Split(string(content), "\n")
	if i := tk.Position.Line - 1; i < 0 || i >= len(lines) || !star.MatchString(lines[i]) {
		return ""
	}
	return ": put a text that begins with * in quotes"
}

// position is where a node begins. A mapping begins at its first key, while its token is the
// colon behind that.
func position(n ast.Node) (line, column int) {
	if n == nil {
		return 0, 0
	}
	tk := n.GetToken()
	if m, ok := n.(ast.MapNode); ok {
		if each := m.MapRange(); each.Next() {
			tk = each.Key().GetToken()
		}
	}
	if tk == nil || tk.Position == nil {
		return 0, 0
	}
	return tk.Position.Line, tk.Position.Column
}

// tooDeep finds the token that is nested too deeply: in open brackets, or behind other block
// indicators on its line. Nesting by indentation needs so many bytes that the size of the
// file limits it.
func tooDeep(tokens token.Tokens) *token.Token {
	flow, line, onLine := 0, 0, 0
	for _, tk := range tokens {
		if tk.Position.Line != line {
			line, onLine = tk.Position.Line, 0
		}
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType, token.AnchorType, token.TagType:
			if flow <= 0 {
				onLine++
			}
		}
		if flow > maxNesting || onLine > maxNesting {
			return tk
		}
	}
	return nil
}

// resolveAliases finds the node that each alias stands for: the last one before it with
// that anchor. An anchor is known only after the end of its node, so no node contains itself.
func resolveAliases(file string, n ast.Node) (map[*ast.AliasNode]ast.Node, error) {
	anchors := make(map[string]ast.Node)
	aliases := make(map[*ast.AliasNode]ast.Node)
	var walk func(n ast.Node) error
	walk = func(n ast.Node) error {
		switch n := n.(type) {
		case *ast.AnchorNode:
			if err := walk(n.Value); err != nil {
				return err
			}
			anchors[n.Name.GetToken().Value] = n.Value
		case *ast.AliasNode:
			tk := n.Value.GetToken()
			to, ok := anchors[tk.Value]
			if !ok {
				return &Error{
					File: file, Line: tk.Position.Line, Column: tk.Position.Column,
					Message: "the alias " + problem.Quote("*"+tk.Value) + " has no anchor " + problem.Quote("&"+tk.Value) + " that ends before it",
				}
			}
			aliases[n] = to
		case ast.MapNode:
			for each := n.MapRange(); each.Next(); {
				if err := walk(each.Value()); err != nil {
					return err
				}
			}
		case *ast.SequenceNode:
			for _, item := range n.Values {
				if err := walk(item); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return aliases, walk(n)
}
