package target

import (
	"bytes"
	"strconv"
	"strings"

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
func (f *terraformFile) localCalls() (calls []localCall, all bool) {
	sources := f.nativeSources
	if f.isJSON() {
		sources = f.jsonSources
	}
	found, all := sources()
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
func (f *terraformFile) nativeSources() (sources []moduleSource, valid bool) {
	if !bytes.Contains(f.content, []byte("module")) {
		return nil, true // as in most files, and looking is much faster
	}
	tokens := f.tokens()
	valid = arguments(tokens, func(block, name string, value int) {
		if block == "module" && name == "source" {
			sources = append(sources, sourceAt(tokens[value:]))
		}
	})
	return sources, valid
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
// may be a list of objects.
func (f *terraformFile) jsonSources() (sources []moduleSource, valid bool) {
	file, valid := f.objects()
	for _, root := range file {
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
	return sources, valid
}
