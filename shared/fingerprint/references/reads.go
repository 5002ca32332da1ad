// Package references finds what the text of a module's Terraform files refers to: local
// modules that they call ([File.Calls]), and paths in expressions, of files and folders that
// they may read ([Reads]). It never looks at the disk.
//
// It evaluates expressions as far as they are constant. If only the beginning of a path is
// constant, the module may read any file in the folder where it begins. If nothing is, the
// module may read anything.
package references

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/terraform-gitops/gitops/shared/problem"
)

const (
	// maxPath is the longest path that is kept, in bytes. Linux opens none that is longer.
	maxPath = 4096

	wordEnds  = " \t\r\n;&|<>()\"'`,:" // what ends a path in a command
	wildcards = "*?[{"
)

// Path is a path in an expression.
type Path struct {
	OfRoot bool   // relative to the root module's folder, where Terraform runs; else to the module's own
	Path   string // as written; if its end is not constant, up to the folder before that
	Where  string // "main.tf:3 reads `expression`"
}

// Reads is what the expressions in a module's Terraform files may read. [Reads.Add] each file,
// then [Reads.Finish].
type Reads struct {
	// Paths begin with path.module, path.root, path.cwd, ./ or ../, or are arguments of
	// functions that read files.
	Paths []Path
	// Words are other constant texts that may name a file or folder, relative to the root
	// module's folder.
	Words map[string]bool
	// Blind are the places that read a file with a path of which nothing is constant.
	Blind []string
	// Variables are the variables that have such a path, with the place.
	Variables map[string]string
	// Arguments are the arguments of module calls, by call and name, whose beginning is not
	// constant: the variable that it is, or [NotConstant].
	Arguments map[string]map[string]string
	// Runs is set if a program is run, which may read anything in its folder.
	Runs bool
	// Provisions is set if there are provisioners.
	Provisions bool

	locals  map[string][]hclsyntax.Expression
	bodies  []*hclsyntax.Body
	jsons   []any
	file    string // whose expressions are evaluated
	source  []byte
	sources map[*hclsyntax.Body]sourceFile
	known   map[string]localValue
	quiet   int // above 0: nothing is kept, since what is evaluated is kept where it is written
}

// NotConstant stands for an argument that is not constant, and no variable. No variable has
// this name.
const NotConstant = "?"

type sourceFile struct {
	name    string
	content []byte
}

// Add adds a file of the module.
func (r *Reads) Add(f *File) {
	if f.isJSON() {
		objects, valid := f.objects()
		if !valid {
			r.Blind = append(r.Blind, problem.Quote(f.Name)+", which is not valid")
		}
		for _, object := range objects {
			r.jsons = append(r.jsons, object)
			r.jsonLocals(object)
		}
		return
	}
	body, ok := f.body()
	if !ok {
		r.Blind = append(r.Blind, problem.Quote(f.Name)+", which is not valid, or nested too deeply")
	}
	if body == nil {
		return
	}
	if r.sources == nil {
		r.sources = make(map[*hclsyntax.Body]sourceFile)
	}
	r.sources[body] = sourceFile{f.Name, f.Content}
	r.bodies = append(r.bodies, body)
	for _, block := range body.Blocks {
		if block.Type == "locals" {
			for name, attr := range block.Body.Attributes {
				r.define(name, attr.Expr)
			}
		}
	}
}

func (r *Reads) define(name string, value hclsyntax.Expression) {
	if r.locals == nil {
		r.locals = make(map[string][]hclsyntax.Expression)
	}
	r.locals[name] = append(r.locals[name], value)
}

// Finish evaluates all expressions, now that the local values of all files are known.
func (r *Reads) Finish() {
	r.Words, r.Variables, r.Arguments = make(map[string]bool), make(map[string]string), make(map[string]map[string]string)
	for _, body := range r.bodies {
		r.file, r.source = r.sources[body].name, r.sources[body].content
		for _, block := range body.Blocks {
			switch block.Type {
			case "locals":
				for _, attr := range sorted(block.Body) {
					r.local(attr.Expr)
				}
			case "module":
				r.module(block)
			default:
				r.Runs = r.Runs || isExternal(block.Type, block.Labels)
				r.body(block.Body, nil)
			}
		}
		for _, attr := range sorted(body) {
			r.visit(attr.Expr, nil)
		}
	}
	for _, object := range r.jsons {
		r.json(object)
	}
	r.bodies, r.jsons, r.sources, r.locals, r.known, r.source = nil, nil, nil, nil, nil, nil
	slices.Sort(r.Blind)
	r.Blind = slices.Compact(r.Blind)
}

func isExternal(blockType string, labels []string) bool {
	return blockType == "data" && len(labels) > 0 && labels[0] == "external" || blockType == "provisioner" && len(labels) > 0 && labels[0] == "local-exec"
}

func sorted(body *hclsyntax.Body) []*hclsyntax.Attribute {
	var all []*hclsyntax.Attribute
	for _, attr := range body.Attributes {
		all = append(all, attr)
	}
	slices.SortFunc(all, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	return all
}

// local keeps what a local value reads. One that is nothing but a path, like
// abspath("${path.module}/../.."), reads nothing by itself: its users do.
func (r *Reads) local(value hclsyntax.Expression) {
	for _, form := range r.forms(value, nil) {
		constantPath := form.beginsWithPath()
		for _, p := range form {
			if p.kind == unknown || p.kind == constant && strings.ContainsAny(p.text, wordEnds+wildcards) {
				constantPath = false
			}
		}
		if !constantPath {
			r.keep([]parts{form}, value, false)
		}
	}
}

func (p parts) beginsWithPath() bool {
	return len(p) > 0 && (p[0].kind == moduleBase || p[0].kind == rootBase ||
		p[0].kind == constant && (strings.HasPrefix(p[0].text, "./") || strings.HasPrefix(p[0].text, "../") || p[0].text == ".."))
}

func (r *Reads) module(block *hclsyntax.Block) {
	name := strings.Join(block.Labels, ".")
	arguments := make(map[string]string)
	in := r.eachScope(block.Body)
	for _, attr := range sorted(block.Body) {
		if attr.Name == "source" || attr.Name == "version" {
			continue
		}
		forms := r.forms(attr.Expr, in)
		r.keep(forms, attr.Expr, false)
		for _, form := range forms {
			if len(form) > 0 && form[0].kind == unknown {
				arguments[attr.Name] = NotConstant
				if form[0].variable != "" {
					arguments[attr.Name] = form[0].variable
				}
			}
		}
	}
	r.Arguments[name] = arguments
}

// body keeps what a block reads, and the blocks in it.
func (r *Reads) body(body *hclsyntax.Body, in *scope) {
	if each := r.eachScope(body); each != nil {
		in = each
	}
	for _, attr := range sorted(body) {
		r.visit(attr.Expr, in)
	}
	for _, block := range body.Blocks {
		r.Runs = r.Runs || isExternal(block.Type, block.Labels)
		r.Provisions = r.Provisions || block.Type == "provisioner"
		if command := block.Body.Attributes["command"]; command != nil && isExternal(block.Type, block.Labels) {
			r.command(command.Expr, in)
		}
		r.body(block.Body, in)
	}
}

// command keeps what a program reads that is run. If nothing in its command is constant, it
// may read anything.
func (r *Reads) command(e hclsyntax.Expression, in *scope) {
	r.quiet++
	forms := r.forms(e, in)
	r.quiet--
	for _, form := range forms {
		if len(form) == 1 && form[0].kind == unknown {
			r.Blind = append(r.Blind, r.at(e))
			return
		}
	}
}

// eachScope is what each.key and each.value stand for in a block with for_each.
func (r *Reads) eachScope(body *hclsyntax.Body) *scope {
	each, ok := body.Attributes["for_each"]
	if !ok {
		return nil
	}
	r.quiet++ // body visits for_each, too
	keys, values := r.pairs(each.Expr, nil)
	r.quiet--
	var in *scope
	return in.with("each.key", keys).with("each.value", values)
}

// visit keeps what an expression reads that is no part of another one's text.
func (r *Reads) visit(e hclsyntax.Expression, in *scope) {
	r.keep(r.forms(e, in), e, false)
}

// fileset keeps a read of all files that a call of fileset may list.
func (r *Reads) fileset(e hclsyntax.Expression, folders, patterns []parts) {
	all := concat(concat(folders, text1("/")), patterns)
	for i, form := range all {
		all[i] = append(form.upToPattern(), part{kind: unknown})
	}
	r.keep(all, e, true)
}

// keep keeps what an expression reads that may have these texts. certain says that it is a
// path, such as the argument of file; else there may be paths in it.
func (r *Reads) keep(forms []parts, e hclsyntax.Expression, certain bool) {
	if r.quiet > 0 {
		return
	}
	for _, form := range forms {
		form = form.merged()
		switch {
		case len(form) == 0:
		case certain:
			r.keepPath(form, e)
		default:
			r.keepText(form, e)
		}
	}
}

// merged joins constant parts that follow each other.
func (p parts) merged() parts {
	var all parts
	for _, one := range p {
		if n := len(all); n > 0 && one.kind == constant && all[n-1].kind == constant {
			all[n-1].text += one.text
			continue
		}
		if one.kind != constant || one.text != "" {
			all = append(all, one)
		}
	}
	return all
}

// keepPath keeps a text that is a path.
func (r *Reads) keepPath(form parts, e hclsyntax.Expression) {
	switch first := form[0]; first.kind {
	case unknown:
		if first.variable != "" {
			if _, known := r.Variables[first.variable]; !known {
				r.Variables[first.variable] = r.at(e)
			}
			return
		}
		r.Blind = append(r.Blind, r.at(e))
	case constant:
		if !strings.HasPrefix(first.text, "/") && !strings.HasPrefix(first.text, "~") {
			r.addPath(true, "/"+first.text, len(form) > 1, e)
		}
	default:
		r.fromBase(form, e)
	}
}

// fromBase keeps a path that begins with path.module or path.root.
func (r *Reads) fromBase(form parts, e hclsyntax.Expression) {
	text, open := "", len(form) > 1
	if len(form) > 1 && form[1].kind == constant {
		text, open = form[1].text, len(form) > 2
		if !strings.HasPrefix(text, "/") { // the path of a folder beside, such as "${path.module}-x"
			text, open = "/", true
		}
	}
	r.addPath(form[0].kind == rootBase, text, open, e)
}

// addPath adds a path that begins with a slash, or is empty.
func (r *Reads) addPath(ofRoot bool, text string, open bool, e hclsyntax.Expression) {
	if at := strings.IndexAny(text, wildcards); at >= 0 {
		text, open = text[:at], true
	}
	if open {
		text = text[:strings.LastIndexByte(text, '/')+1]
	}
	if len(text) <= maxPath {
		r.Paths = append(r.Paths, Path{OfRoot: ofRoot, Path: text, Where: r.at(e)})
	}
}

// keepText keeps the paths in a text: `bash ${path.module}/../x.sh -v` has one.
func (r *Reads) keepText(form parts, e hclsyntax.Expression) {
	// The whole text may be a path with spaces.
	if first := form[0]; first.kind == constant {
		if strings.ContainsAny(first.text, wordEnds) && !strings.Contains(first.text, "\n") {
			r.keepStart(form, e)
		}
	} else if len(form) > 1 && form[1].kind == constant && strings.ContainsAny(form[1].text, wordEnds) && !strings.Contains(form[1].text, "\n") && first.kind != unknown {
		r.fromBase(form, e)
	}
	var word parts
	end := func() {
		if len(word) > 0 {
			r.keepWord(word, e)
		}
		word = nil
	}
	for _, p := range form {
		if p.kind != constant {
			word = append(word, p)
			continue
		}
		for rest := p.text; rest != ""; {
			at := strings.IndexAny(rest, wordEnds)
			if at < 0 {
				word = append(word, part{text: rest})
				break
			}
			if at > 0 {
				word = append(word, part{text: rest[:at]})
			}
			end()
			rest = rest[at+1:]
		}
	}
	end()
}

// keepWord keeps the paths in a text without spaces.
func (r *Reads) keepWord(word parts, e hclsyntax.Expression) {
	for i, p := range word {
		if p.kind == moduleBase || p.kind == rootBase {
			r.fromBase(word[i:], e)
		}
	}
	r.keepStart(word, e)
}

// keepStart keeps the path that a text begins with, as far as it is constant.
func (r *Reads) keepStart(word parts, e hclsyntax.Expression) {
	if word[0].kind != constant {
		return
	}
	text, open := word[0].text, len(word) > 1
	if !strings.HasPrefix(text, ".") { // --file=../x.sh
		text = text[strings.LastIndexByte(text, '=')+1:]
	}
	if strings.HasPrefix(text, "../") || strings.HasPrefix(text, "./") || text == ".." {
		// Dots and slashes alone are more often text than a folder that is read.
		if bare := strings.Trim(text, "./") == ""; open || !bare {
			r.addPath(true, "/"+text, open, e)
		}
		return
	}
	if at := strings.IndexAny(text, wildcards); at >= 0 {
		text, open = text[:at], true
	}
	if open {
		text = text[:strings.LastIndexByte(text, '/')+1]
	}
	if text = strings.Trim(path.Clean(text), "/"); text != "." && text != "" && len(text) <= maxPath {
		r.Words[text] = true
	}
}

// at is the place and the text of an expression, for people.
func (r *Reads) at(e hclsyntax.Expression) string {
	if e == nil {
		return r.file
	}
	rng := e.Range()
	if rng.Filename == jsonTemplate || r.source == nil {
		return problem.Quote(r.file)
	}
	text := ""
	if rng.CanSliceBytes(r.source) {
		text = " reads " + problem.Quote(strings.Join(strings.Fields(string(rng.SliceBytes(r.source))), " "))
	}
	return fmt.Sprintf("%s:%d%s", r.file, rng.Start.Line, text)
}

const jsonTemplate = "JSON"

// jsonLocals defines the local values in {"locals": {"name": "…"}}.
func (r *Reads) jsonLocals(object any) {
	for _, file := range objects(object) {
		for _, locals := range objects(file["locals"]) {
			for name, value := range locals {
				if text, ok := value.(string); ok {
					if e := templateOf(text); e != nil {
						r.define(name, e)
					}
				}
			}
		}
	}
}

func templateOf(text string) hclsyntax.Expression {
	tokens, _ := hclsyntax.LexTemplate([]byte(text), jsonTemplate, hcl.InitialPos)
	if isTooDeep(tokens) {
		return nil
	}
	e, _ := hclsyntax.ParseTemplate([]byte(text), jsonTemplate, hcl.InitialPos)
	return e
}

// json keeps what a file's object reads: {"resource": {"type": {"name": {"argument": "…"}}}}.
func (r *Reads) json(file any) {
	for _, object := range objects(file) {
		for block, content := range object {
			for _, body := range objects(content) {
				for name, value := range body {
					switch {
					case block == "locals":
						r.jsonValue(value, true)
					case block == "module":
						for _, module := range objects(value) {
							r.jsonModule(name, module)
						}
					default:
						r.Runs = r.Runs || isExternal(block, []string{name})
						r.jsonValue(value, false)
					}
				}
			}
		}
	}
}

func (r *Reads) jsonModule(name string, module map[string]any) {
	arguments := make(map[string]string)
	for argument, value := range module {
		if argument == "source" || argument == "version" {
			continue
		}
		r.jsonValue(value, false)
		text, ok := value.(string)
		if !ok || !strings.HasPrefix(text, "${") {
			continue
		}
		if e := templateOf(text); e != nil {
			r.quiet++
			for _, form := range r.forms(e, nil) {
				if len(form) > 0 && form[0].kind == unknown {
					arguments[argument] = NotConstant
					if form[0].variable != "" {
						arguments[argument] = form[0].variable
					}
				}
			}
			r.quiet--
		}
	}
	r.Arguments[name] = arguments
}

// jsonValue keeps what all texts in a value read.
func (r *Reads) jsonValue(value any, local bool) {
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			r.jsonValue(v, false)
		}
	case map[string]any:
		for name, v := range value {
			r.Runs, r.Provisions = r.Runs || name == "provisioner", r.Provisions || name == "provisioner"
			r.jsonValue(name, false)
			r.jsonValue(v, false)
		}
	case string:
		e := templateOf(value)
		switch {
		case e == nil:
			r.Blind = append(r.Blind, "an expression that is nested too deeply")
		case local:
			r.local(e)
		default:
			r.visit(e, nil)
		}
	}
}

// Text keeps the paths in a text that is no expression. file says where it is.
func (r *Reads) Text(file, value string) {
	r.file = file
	if r.Words == nil {
		r.Words = make(map[string]bool)
	}
	r.keepText(parts{{text: value}}, nil)
}
