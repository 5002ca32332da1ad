package target

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// modulePath is a path in a Terraform file, as far as it is constant: "path.module"
// and "/../x.sh", of "${path.module}/../x.sh". Where the rest is not constant, as in
// "${path.module}/../x/${var.name}.sh", the path ends with the last slash before it.
type modulePath struct {
	base string // pathModule, pathRoot, or a local value that is a path itself
	rest string
}

const (
	pathModule = "path.module"
	pathRoot   = "path.root" // where Terraform runs, too: a plain path is relative to it
	pathLocal  = "local."    // and a name

	// maxPath is more than what Linux opens, in bytes.
	maxPath = 4096
)

// modulePaths are the paths in a module's Terraform files, outside of module sources.
type modulePaths struct {
	found   []modulePath
	locals  map[string]modulePath // that are a path, by pathLocal and name
	pending []*terraformFile      // that only tell something if there are such locals
}

// outwardPath is a path that may lead out of the module's folder.
type outwardPath struct {
	from string // the folder that it is relative to; empty: that of the root module
	path string
}

// read adds the paths of a file.
func (p *modulePaths) read(f *terraformFile) {
	switch {
	case f.isJSON():
		file, _ := f.objects()
		for _, object := range file {
			p.readJSON(object)
		}
	// An escape may stand for a dot.
	case bytes.Contains(f.content, []byte("..")), bytes.Contains(f.content, []byte("path.")), bytes.Contains(f.content, []byte(`\u`)), bytes.Contains(f.content, []byte(`\U`)):
		p.readNative(f.tokens())
	case bytes.Contains(f.content, []byte(pathLocal)):
		p.pending = append(p.pending, f)
	}
}

func (p *modulePaths) readNative(tokens hclsyntax.Tokens) {
	known := make(map[int]bool) // templates that are looked at already
	arguments(tokens, func(block, name string, value int) {
		switch {
		case block == "module" && name == "source":
			for tokenAt(tokens, value).Type == hclsyntax.TokenOParen {
				value++
			}
			known[value] = true
		case block == "locals":
			if at, ok := p.readLocal(name, tokens, value); ok {
				known[at] = true
			}
		}
	})
	p.readTemplates(tokens, known)
}

// readJSON reads an object of a file: {"locals": {"name": "…"}, "resource": …}.
func (p *modulePaths) readJSON(object map[string]any) {
	for block, content := range object {
		for _, body := range objects(content) {
			for name, value := range body {
				switch {
				case block == "locals":
					p.readValue(value, name)
				case block == "module":
					for _, module := range objects(value) {
						for argument, value := range module {
							if argument != "source" {
								p.readValue(value, "")
							}
						}
					}
				default:
					p.readValue(value, "")
				}
			}
		}
	}
}

// readValue reads all strings of a value of JSON, which may be that of a local value.
func (p *modulePaths) readValue(value any, local string) {
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			p.readValue(v, "")
		}
	case map[string]any:
		for _, v := range value {
			p.readValue(v, "")
		}
	case string:
		if !strings.Contains(value, "..") && !strings.Contains(value, "path.") && !strings.Contains(value, pathLocal) {
			return
		}
		lexed, _ := hclsyntax.LexTemplate([]byte(value), "", hcl.InitialPos)
		tokens := slices.Concat(hclsyntax.Tokens{{Type: hclsyntax.TokenOQuote}}, lexed[:len(lexed)-1], hclsyntax.Tokens{{Type: hclsyntax.TokenCQuote}, {Type: hclsyntax.TokenEOF}})
		known := make(map[int]bool)
		if local != "" {
			at, ok := p.readLocal(local, tokens, 0)
			known[at] = ok
		}
		p.readTemplates(tokens, known)
	}
}

// readLocal keeps a local value that is nothing but a path, like
// abspath("${path.module}/../.."), until it is used; at is where it was found.
func (p *modulePaths) readLocal(name string, tokens hclsyntax.Tokens, at int) (_ int, ok bool) {
	for string(tokenAt(tokens, at).Bytes) == "abspath" && tokenAt(tokens, at+1).Type == hclsyntax.TokenOParen {
		at += 2
	}
	var value modulePath
	end := at + 1 // after it
	if tokenAt(tokens, at).Type == hclsyntax.TokenOQuote {
		if base, is := reference(tokens, at+2); is && tokenAt(tokens, at+1).Type == hclsyntax.TokenTemplateInterp && tokenAt(tokens, at+5).Type == hclsyntax.TokenTemplateSeqEnd {
			value.base, end = base, at+6
		}
		value.rest, end = constant(tokens, end)
		if value.base == "" && (value.rest == ".." || strings.HasPrefix(value.rest, "../") || strings.HasPrefix(value.rest, "./")) {
			value.base, value.rest = pathRoot, "/"+value.rest
		}
		if value.base == "" || value.rest != "" && value.rest[0] != '/' || tokenAt(tokens, end).Type != hclsyntax.TokenCQuote || strings.ContainsAny(value.rest, wordEnds+wildcards) {
			return 0, false
		}
		end++
	} else {
		if value.base, ok = reference(tokens, at); !ok {
			return 0, false
		}
		end = at + 3
	}
	switch tokenAt(tokens, end).Type {
	case hclsyntax.TokenCParen, hclsyntax.TokenNewline, hclsyntax.TokenComment, hclsyntax.TokenCBrace, hclsyntax.TokenEOF:
	default:
		return 0, false // a part of something else
	}
	if p.locals == nil {
		p.locals = make(map[string]modulePath)
	}
	if other, twice := p.locals[pathLocal+name]; twice { // one in an override file
		p.found = append(p.found, other)
	}
	p.locals[pathLocal+name] = value
	return at, true
}

// readTemplates reads all templates, also those in others, but for known ones.
func (p *modulePaths) readTemplates(tokens hclsyntax.Tokens, known map[int]bool) {
	for i, tk := range tokens {
		switch tk.Type {
		case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			if !known[i] && !isForName(tokens, i) {
				p.readText(tokens, i)
			}
		case hclsyntax.TokenTemplateSeqEnd:
			opening := i - 5 // of a template that begins with path.module, say
			begins := tokenAt(tokens, i-4).Type == hclsyntax.TokenTemplateInterp && tokenAt(tokens, opening).Type == hclsyntax.TokenOQuote
			if !begins || !known[opening] && !isForName(tokens, opening) {
				p.readText(tokens, i)
			}
		case hclsyntax.TokenIdent:
			name, is := reference(tokens, i)
			interpolated := tokenAt(tokens, i-1).Type == hclsyntax.TokenTemplateInterp && tokenAt(tokens, i+3).Type == hclsyntax.TokenTemplateSeqEnd
			if is && !interpolated && !known[i] && strings.HasPrefix(name, pathLocal) && !isForName(tokens, i) {
				p.found = append(p.found, modulePath{base: name})
			}
		}
	}
}

// reference reads path.module and the like, or a local value.
func reference(tokens hclsyntax.Tokens, i int) (name string, ok bool) {
	if tokenAt(tokens, i).Type != hclsyntax.TokenIdent || tokenAt(tokens, i+1).Type != hclsyntax.TokenDot || tokenAt(tokens, i+2).Type != hclsyntax.TokenIdent {
		return "", false
	}
	switch object, name := string(tokens[i].Bytes), string(tokens[i+2].Bytes); {
	case object == "path" && name == "module":
		return pathModule, true
	case object == "path" && (name == "root" || name == "cwd"):
		return pathRoot, true
	case object == "local":
		return pathLocal + name, true
	}
	return "", false
}

// isForName tells that of the path at i only the name of a folder is wanted, as in
// basename(abspath("${path.module}/..")): nothing is read.
func isForName(tokens hclsyntax.Tokens, i int) bool {
	for ; tokenAt(tokens, i-1).Type == hclsyntax.TokenOParen; i -= 2 {
		switch string(tokenAt(tokens, i-2).Bytes) {
		case "basename":
			return true
		case "abspath", "dirname", "pathexpand":
		default:
			return false
		}
	}
	return false
}

// constant is the text from token i up to what has to be evaluated, or the end of the
// template, which is at end.
func constant(tokens hclsyntax.Tokens, i int) (text string, end int) {
	var all strings.Builder
	for ; ; i++ {
		switch tk := tokenAt(tokens, i); tk.Type {
		case hclsyntax.TokenQuotedLit:
			// HCL's escapes in quotes are among Go's.
			part, err := strconv.Unquote(`"` + string(tk.Bytes) + `"`)
			if err != nil {
				part = string(tk.Bytes)
			}
			all.WriteString(part)
		case hclsyntax.TokenStringLit:
			all.Write(tk.Bytes)
		default:
			return all.String(), i
		}
	}
}

const (
	wordEnds  = " \t\r\n;&|<>()\"'`,:" // of a path in a command
	wildcards = "*?[{"
)

// readText reads the constant text after token i, with which a template or an
// interpolation begins or ends: `bash ${path.module}/../x.sh -v` has one path.
func (p *modulePaths) readText(tokens hclsyntax.Tokens, i int) {
	text, end := constant(tokens, i+1)
	next := tokenAt(tokens, end).Type
	open := next == hclsyntax.TokenTemplateInterp || next == hclsyntax.TokenTemplateControl
	begins := tokens[i].Type != hclsyntax.TokenTemplateSeqEnd
	base, unknown := "", false
	if !begins {
		name, is := reference(tokens, i-3)
		if is && tokenAt(tokens, i-4).Type == hclsyntax.TokenTemplateInterp {
			base = name
		} else {
			unknown = true
		}
	}
	// A path without a name is text more often than a folder that is read.
	dots := begins && (open || string(tokenAt(tokens, i-2).Bytes) == "fileset")
	add := func(base, word string, open, dots bool) {
		if base == "" {
			if !strings.HasPrefix(word, ".") { // --file=../x.sh
				word = word[strings.LastIndexByte(word, '=')+1:]
			}
			if !strings.HasPrefix(word, "../") && !strings.HasPrefix(word, "./") && word != ".." {
				return
			}
			base, word = pathRoot, "/"+word
		} else {
			dots = true
		}
		if at := strings.IndexAny(word, wildcards); at >= 0 {
			word, open = word[:at], true
		}
		if open {
			word = word[:strings.LastIndexByte(word, '/')+1]
		}
		bare := strings.Trim(word, "./") == ""
		if len(word) <= maxPath && (dots || !bare) && (strings.HasPrefix(word, "/") || strings.HasPrefix(base, pathLocal)) {
			p.found = append(p.found, modulePath{base, word})
		}
	}
	at := strings.IndexAny(text, wordEnds)
	if at >= 0 && !unknown && !strings.Contains(text, "\n") { // a name may have spaces
		if !open {
			add(base, text, false, dots)
		} else if strings.LastIndexByte(text, '/') > at {
			add(base, text, true, dots)
		}
	}
	for first := true; ; first = false {
		word := text
		if at >= 0 {
			word = text[:at]
		}
		if !first {
			add("", word, open && at < 0, false)
		} else if !unknown {
			add(base, word, open && at < 0, dots)
		}
		if at < 0 {
			return
		}
		text = text[at+1:]
		at = strings.IndexAny(text, wordEnds)
	}
}

// outward are the paths that may lead out of the module, which lies in dir: each once,
// sorted.
func (p *modulePaths) outward(dir string, root bool) []outwardPath {
	for more := true; more; { // one may have locals that another begins with
		more = false
		p.pending = slices.DeleteFunc(p.pending, func(f *terraformFile) bool {
			for name := range p.locals {
				if bytes.Contains(f.content, []byte(name)) {
					p.readNative(f.tokens())
					f.lexed, more = nil, true
					return true
				}
			}
			return false
		})
	}
	var list []outwardPath
	seen := make(map[outwardPath]bool)
	for _, one := range p.found {
		for range 10 { // locals that begin with others
			if local, is := p.locals[one.base]; is {
				one = modulePath{local.base, local.rest + one.rest}
			}
		}
		out := outwardPath{path: one.rest}
		switch {
		case one.base == pathModule || one.base == pathRoot && root:
			out.from = dir
			if !slices.Contains(strings.Split(one.rest, "/"), "..") {
				continue // it stays inside
			}
		case one.base != pathRoot:
			continue // of another local value
		}
		if !seen[out] && len(out.path) <= maxPath {
			seen[out] = true
			list = append(list, out)
		}
	}
	slices.SortFunc(list, func(a, b outwardPath) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.path, b.path)) })
	return list
}
