package references

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// File is a Terraform file with its text.
type File struct {
	Name    string
	Content []byte
	parsed  *hclsyntax.Body
	valid   bool
	looked  bool // parsed and valid are known
}

func (f *File) isJSON() bool { return strings.HasSuffix(f.Name, ".json") }

// tokens splits a file of native syntax.
// https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
func (f *File) tokens() hclsyntax.Tokens {
	lexed, _ := hclsyntax.LexConfig(f.Content, "", hcl.InitialPos)
	return lexed
}

// objects are the objects in a file of JSON syntax. Unlike in HCL, a file with duplicate names
// or with more than 10,000 levels is not valid here.
// https://developer.hashicorp.com/terraform/language/syntax/json
func (f *File) objects() (all []map[string]any, valid bool) {
	var file any
	if err := json.Unmarshal(f.Content, &file); err != nil {
		return nil, false
	}
	return objects(file), true
}

// objects are the objects in v, which is an object, a list of objects, or a list of lists.
func objects(v any) []map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		var list []map[string]any
		for _, item := range v {
			list = append(list, objects(item)...)
		}
		return list
	}
	return nil
}

// mostNested is how deep expressions may be nested. HCL's parser recurses: 128 KiB of opening
// brackets would end the process with a stack overflow.
const mostNested = 500

// mostRecursive is how many tokens without brackets, at which the parser recurses, a file may
// have in all.
const mostRecursive = 20_000

// body parses a file of native syntax. If ok is false, it is what could be read.
func (f *File) body() (_ *hclsyntax.Body, ok bool) {
	if f.looked {
		return f.parsed, f.valid
	}
	f.looked = true
	if mayBeTooDeep(f.Content) && isTooDeep(f.tokens()) {
		return nil, false
	}
	file, diags := hclsyntax.ParseConfig(f.Content, f.Name, hcl.InitialPos)
	if file == nil {
		return nil, false
	}
	f.parsed, _ = file.Body.(*hclsyntax.Body)
	f.valid = !diags.HasErrors()
	return f.parsed, f.valid
}

// mayBeTooDeep is isTooDeep for most files, without splitting them into tokens: each of the tokens
// that count there has one of these characters.
func mayBeTooDeep(content []byte) bool {
	n := 0
	for _, b := range content {
		switch b {
		case '{', '[', '(', '"', '<', '?', '!', '-':
			if n++; n > mostNested {
				return true
			}
		}
	}
	return false
}

func isTooDeep(tokens hclsyntax.Tokens) bool {
	depth, recursive := 0, 0
	for _, tk := range tokens {
		switch tk.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			if depth++; depth > mostNested {
				return true
			}
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			depth--
		case hclsyntax.TokenTemplateControl, hclsyntax.TokenQuestion, hclsyntax.TokenBang, hclsyntax.TokenMinus:
			if tk.Type == hclsyntax.TokenTemplateControl {
				depth++
			}
			if recursive++; recursive > mostRecursive {
				return true
			}
		}
	}
	return false
}

// IsFile tells by its name whether Terraform or OpenTofu reads a file as a part of a module.
func IsFile(name string) bool {
	for _, ext := range []string{".tf", ".tf.json", ".tofu", ".tofu.json"} {
		if strings.HasSuffix(name, ext) {
			return true
		}
	}
	return false
}
