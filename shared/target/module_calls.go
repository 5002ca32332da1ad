package target

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// localCall is the call of a module by a path.
type localCall struct {
	name   string
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
			calls = append(calls, localCall{name: s.module, source: text, prefix: !s.constant})
		}
	}
	return calls, all
}

// moduleSource is the source argument of a module block: its text, or what
// comes before the first thing that has to be evaluated.
type moduleSource struct {
	module   string // the name of the call
	text     string
	constant bool
}

// nativeSources reads `module "name" { source = "…" }` blocks.
func (f *terraformFile) nativeSources() (sources []moduleSource, valid bool) {
	if !bytes.Contains(f.content, []byte("module")) {
		return nil, true // as in most files, and looking is much faster
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

// sourceOf is the constant text that an expression begins with.
func sourceOf(e hclsyntax.Expression) moduleSource {
	for {
		inner, ok := e.(*hclsyntax.ParenthesesExpr)
		if !ok {
			break
		}
		e = inner.Expression
	}
	var s moduleSource
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
func (f *terraformFile) jsonSources() (sources []moduleSource, valid bool) {
	file, valid := f.objects()
	for _, root := range file {
		for _, modules := range objects(root["module"]) {
			for name, named := range modules {
				for _, module := range objects(named) {
					if text, ok := module["source"].(string); ok {
						before, _, evaluated := strings.Cut(text, "${")
						sources = append(sources, moduleSource{name, before, !evaluated})
					}
				}
			}
		}
	}
	return sources, valid
}
