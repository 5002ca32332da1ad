package references

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Call is the call of a local module.
type Call struct {
	Name   string
	Source string // ./… or ../…
	Prefix bool   // Source is the beginning up to a slash, and the rest is not constant
}

// Calls finds the local modules that a file calls. all is false if it may call more: a source
// is not constant, which OpenTofu allows, or the file is not valid.
func (f *File) Calls() (calls []Call, all bool) {
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
		// Other sources are in a registry or in another repository.
		if strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../") {
			calls = append(calls, Call{Name: s.module, Source: text, Prefix: !s.constant})
		}
	}
	return calls, all
}

// source is the source argument of a module block, up to what has to be evaluated.
type source struct {
	module   string // the name of the call
	text     string
	constant bool
}

// nativeSources reads `module "name" { source = "…" }` blocks.
func (f *File) nativeSources() (sources []source, valid bool) {
	if !bytes.Contains(f.Content, []byte("module")) {
		return nil, true // most files call none, and this is much faster than parsing
	}
	body, valid := f.body()
	if body == nil {
		return nil, false
	}
	for _, block := range body.Blocks {
		if source := block.Body.Attributes["source"]; block.Type == "module" && source != nil {
			s := sourceOf(source.Expr)
			s.module = strings.Join(block.Labels, ".")
			sources = append(sources, s)
		}
	}
	return sources, valid
}

// sourceOf is the constant text at the beginning of an expression.
func sourceOf(e hclsyntax.Expression) source {
	for {
		inner, ok := e.(*hclsyntax.ParenthesesExpr)
		if !ok {
			break
		}
		e = inner.Expression
	}
	var s source
	template, ok := e.(*hclsyntax.TemplateExpr)
	if !ok {
		return s
	}
	for _, p := range template.Parts {
		literal, ok := p.(*hclsyntax.LiteralValueExpr)
		if !ok || literal.Val.Type() != cty.String {
			return s
		}
		s.text += literal.Val.AsString()
	}
	s.constant = true
	return s
}

// jsonSources reads {"module": {"name": {"source": "…"}}}, where each object
// may be a list of objects.
func (f *File) jsonSources() (sources []source, valid bool) {
	file, valid := f.objects()
	for _, root := range file {
		for _, modules := range objects(root["module"]) {
			for name, named := range modules {
				for _, module := range objects(named) {
					if text, ok := module["source"].(string); ok {
						before, _, evaluated := strings.Cut(text, "${")
						sources = append(sources, source{name, before, !evaluated})
					}
				}
			}
		}
	}
	return sources, valid
}
