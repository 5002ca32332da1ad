package target

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// localCall is the call of a module by a path.
type localCall struct {
	source string // ./… or ../…
	prefix bool   // only the beginning, up to a slash: the rest is not constant
}

// localCalls finds the local modules that a Terraform file calls. all is
// false where more may be called than was found: a source is not constant, as
// OpenTofu allows, or the file is not valid.
//
// It looks at tokens, not at a syntax tree: HCL's parser recurses, and ends
// the process with a stack overflow on 128 KiB of opening brackets. That also
// makes it find the calls of a file that has an error elsewhere.
func localCalls(name string, content []byte) (calls []localCall, all bool) {
	sources := nativeSources
	if strings.HasSuffix(name, ".json") {
		sources = jsonSources
	}
	found, all := sources(content)
	for _, s := range found {
		text := s.text
		if !s.constant {
			all = false
			text = text[:strings.LastIndexByte(text, '/')+1]
		}
		// What is not ./ or ../ comes from a registry or another repository.
		if strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../") {
			calls = append(calls, localCall{source: text, prefix: !s.constant})
		}
	}
	return calls, all
}

// moduleSource is the source argument of a module block: its text, or what
// comes before the first thing that has to be evaluated.
type moduleSource struct {
	text     string
	constant bool
}

// nativeSources reads `module "name" { source = "…" }` blocks.
// https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
func nativeSources(content []byte) (sources []moduleSource, valid bool) {
	if !bytes.Contains(content, []byte("module")) {
		return nil, true // as in most files, and looking is much faster
	}
	tokens, _ := hclsyntax.LexConfig(content, "", hcl.InitialPos)
	depth := 0        // of braces, brackets, parentheses and templates
	module := false   // in a module block, at depth 1
	beginning := true // of a line, where a block or argument may start
	for i, tk := range tokens {
		switch tk.Type {
		case hclsyntax.TokenIdent:
			switch {
			case !beginning:
			case depth == 0:
				module = string(tk.Bytes) == "module"
			case depth == 1 && module && string(tk.Bytes) == "source" && i+1 < len(tokens) && tokens[i+1].Type == hclsyntax.TokenEqual:
				sources = append(sources, sourceAt(tokens[i+2:]))
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
	return sources, depth == 0
}

// sourceAt reads the quoted text at the start of tokens.
func sourceAt(tokens hclsyntax.Tokens) moduleSource {
	for len(tokens) > 0 && tokens[0].Type == hclsyntax.TokenOParen {
		tokens = tokens[1:]
	}
	var s moduleSource
	if len(tokens) == 0 || tokens[0].Type != hclsyntax.TokenOQuote {
		return s
	}
	for _, tk := range tokens[1:] {
		switch tk.Type {
		case hclsyntax.TokenQuotedLit:
			// HCL's escapes in quotes are among Go's.
			text, err := strconv.Unquote(`"` + string(tk.Bytes) + `"`)
			if err != nil {
				return s
			}
			s.text += text
		case hclsyntax.TokenCQuote:
			s.constant = true
			return s
		default:
			return s
		}
	}
	return s
}

// jsonSources reads {"module": {"name": {"source": "…"}}}, where each object
// may be a list of objects. Duplicate names, which HCL allows, and nesting
// beyond 10,000 make the file not valid here.
// https://developer.hashicorp.com/terraform/language/syntax/json
func jsonSources(content []byte) (sources []moduleSource, valid bool) {
	var file any
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, false
	}
	for _, root := range objects(file) {
		for _, modules := range objects(root["module"]) {
			for _, named := range modules {
				for _, module := range objects(named) {
					if text, ok := module["source"].(string); ok {
						before, _, evaluated := strings.Cut(text, "${")
						sources = append(sources, moduleSource{before, !evaluated})
					}
				}
			}
		}
	}
	return sources, true
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
