package target

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// terraformFile is the text of a Terraform file.
//
// It is looked at as tokens, not as a syntax tree: HCL's parser recurses, and ends
// the process with a stack overflow on 128 KiB of opening brackets. That also makes
// it tell something of a file that has an error elsewhere.
type terraformFile struct {
	name    string
	content []byte
	lexed   hclsyntax.Tokens
}

func (f *terraformFile) isJSON() bool { return strings.HasSuffix(f.name, ".json") }

// tokens are those of native syntax. They take many times the text's memory, and a
// second for each 5 MB, so not all files should be asked for them.
// https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
func (f *terraformFile) tokens() hclsyntax.Tokens {
	if f.lexed == nil {
		f.lexed, _ = hclsyntax.LexConfig(f.content, "", hcl.InitialPos)
	}
	return f.lexed
}

// objects are what a file of JSON consists of. Duplicate names, which HCL allows,
// and nesting beyond 10,000 make it not valid here.
// https://developer.hashicorp.com/terraform/language/syntax/json
func (f *terraformFile) objects() (all []map[string]any, valid bool) {
	var file any
	if err := json.Unmarshal(f.content, &file); err != nil {
		return nil, false
	}
	return objects(file), true
}

// objects is v as the objects that it is or lists.
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

// arguments calls f for each argument of a file's blocks, not of the blocks in them:
// with the block's type, the argument's name, and the index of the token that its
// value begins with. closed is false when something is not closed.
func arguments(tokens hclsyntax.Tokens, f func(block, name string, value int)) (closed bool) {
	depth := 0        // of braces, brackets, parentheses and templates
	block := ""       // the type of that at depth 1
	beginning := true // of a line, where a block or argument may start
	for i, tk := range tokens {
		switch tk.Type {
		case hclsyntax.TokenIdent:
			switch {
			case !beginning:
			case depth == 0:
				block = string(tk.Bytes)
			case depth == 1 && tokenAt(tokens, i+1).Type == hclsyntax.TokenEqual:
				f(block, string(tk.Bytes), i+2)
			}
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
		// `module "x" { source = "…" }` may stand on one line.
		beginning = tk.Type == hclsyntax.TokenNewline || tk.Type == hclsyntax.TokenComment ||
			tk.Type == hclsyntax.TokenOBrace && depth == 1
	}
	return depth == 0
}

// tokenAt is an empty token where there is none.
func tokenAt(tokens hclsyntax.Tokens, i int) hclsyntax.Token {
	if i < 0 || i >= len(tokens) {
		return hclsyntax.Token{}
	}
	return tokens[i]
}
