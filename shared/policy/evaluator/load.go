package evaluator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
	"go.yaml.in/yaml/v3"

	"github.com/terraform-gitops/gitops/shared/policy"
)

// main is the package whose rules are evaluated.
var mainPackage = ast.Ref{ast.DefaultRootDocument, ast.StringTerm("main")}

var (
	evaluatedName = regexp.MustCompile(`^` + policy.RuleNames + `$`)
	warnName      = regexp.MustCompile(`^warn(_|$)`)
	approvalName  = regexp.MustCompile(`^require_approval(_|$)`)
)

// reachingOut are built-ins that read something of the outside: the network, files, the environment.
// A policy that calls one does not compile. The last two load a JSON schema from a `$ref`, also from
// a file.
var reachingOut = []string{"http.send", "net.lookup_ip_addr", "opa.runtime", "json.match_schema", "json.verify_schema"}

func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	c.Builtins = slices.DeleteFunc(slices.Clone(c.Builtins), func(b *ast.Builtin) bool { return slices.Contains(reachingOut, b.Name) })
	c.AllowNet = []string{}
	return c
}

// loaded are policies that are compiled.
type loaded struct {
	compiler *ast.Compiler
	queries  []query
	data     ast.Object
	traces   bool // a rule calls trace
}

// query is a part of package main that is evaluated on its own.
type query struct {
	name string      // of the rule, as it is written
	ref  ast.Ref     // what is asked for
	rule policy.Rule // the definition; of a complete rule, the first one
}

// load parses and compiles the policies and their data. What is wrong is in the verdict.
func (e *evaluation) load() {
	caps := capabilities()
	modules := map[string]*ast.Module{}
	var originals []*ast.Module
	data := ast.NewObject()
	for _, file := range e.request.Policies {
		switch path.Ext(file.Path) {
		case ".rego":
			if policy.IsTest(file.Path) {
				e.checkTests(file, caps)
				continue
			}
			module := e.parse(file, caps)
			if module == nil {
				continue
			}
			if modules[file.Path] != nil {
				e.deny(policy.Rule{File: file.Path}, "it is there twice")
			}
			modules[file.Path] = module
			originals = append(originals, module)
		case ".yaml", ".yml", ".json":
			data = e.merge(data, file)
		default:
			e.deny(policy.Rule{File: file.Path}, "it is neither a policy (.rego) nor data (.yaml, .yml, .json)")
		}
	}
	var complete []*ast.Rule
	for i, module := range originals {
		if !module.Package.Path.Equal(mainPackage) {
			continue
		}
		e.checkHeads(module)
		// The file once more, with the definitions of sets under names of their own. So each
		// message tells its line.
		again := e.parse(policy.File{Path: module.Package.Location.File, Content: e.content(module.Package.Location.File)}, caps)
		again.Rules = slices.DeleteFunc(again.Rules, func(rule *ast.Rule) bool {
			if !isEvaluated(rule) {
				return true
			}
			if rule.Head.RuleKind() == ast.SingleValue {
				complete = append(complete, rule)
				return true
			}
			return false
		})
		again.Annotations = slices.DeleteFunc(again.Annotations, func(a *ast.Annotations) bool { return a.Scope != "rule" })
		for k, rule := range again.Rules {
			name := rule.Head.Name
			// A space can't be in a name that a file has.
			rule.Head.Name = ast.Var(fmt.Sprintf("%s %d.%d", name, i, k))
			ref := rule.Head.Reference.Copy()
			ref[0] = ast.VarTerm(string(rule.Head.Name))
			rule.Head.Reference = ref
			e.loaded.queries = append(e.loaded.queries, query{
				name: string(name), ref: mainPackage.Append(ast.StringTerm(string(rule.Head.Name))), rule: ruleAt(string(name), rule.Location),
			})
		}
		if len(again.Rules) > 0 {
			modules[module.Package.Location.File+" (once more)"] = again
		}
	}
	for _, rule := range complete {
		name := string(rule.Head.Name)
		if !slices.ContainsFunc(e.loaded.queries, func(q query) bool { return q.name == name }) {
			e.loaded.queries = append(e.loaded.queries, query{name: name, ref: mainPackage.Append(ast.StringTerm(name)), rule: ruleAt(name, rule.Location)})
		}
	}
	if len(e.verdict.Denied) > 0 {
		return
	}
	if len(e.loaded.queries) == 0 {
		e.deny(policy.Rule{}, "the policies have no rule named deny, violation, warn or require_approval in package main: nothing would be checked")
	}
	e.loaded.data = data
	e.loaded.compiler = ast.NewCompiler().WithCapabilities(caps).WithEnablePrintStatements(true).
		WithPathConflictsCheck(func(path []string) (bool, error) { return hasData(data, path), nil })
	e.loaded.compiler.Compile(modules)
	if e.loaded.compiler.Failed() {
		e.denyErrors("", e.loaded.compiler.Errors)
		return
	}
	e.checkReached(originals)
	for _, module := range originals {
		ast.WalkTerms(module, func(t *ast.Term) bool {
			if ref, ok := t.Value.(ast.Ref); ok && ref.Equal(ast.Trace.Ref()) {
				e.loaded.traces = true
			}
			return false
		})
	}
}

func (e *evaluation) isSpare(path string) bool {
	return slices.ContainsFunc(e.request.Policies, func(f policy.File) bool { return f.Path == path && f.Spare })
}

func (e *evaluation) content(path string) []byte {
	for _, file := range e.request.Policies {
		if file.Path == path {
			return file.Content
		}
	}
	return nil
}

// parse parses a file as Rego v1, else as v0. It returns nil if it is neither, and says why.
func (e *evaluation) parse(file policy.File, caps *ast.Capabilities) *ast.Module {
	module, err, errV0 := parse(file, caps)
	switch {
	case module != nil:
		return module
	case err == nil:
		e.deny(policy.Rule{File: file.Path}, "it is empty: a policy begins with its package")
	case line(errV0) > line(err):
		e.denyErrors(file.Path, errV0) // v0 could read more of it
	default:
		e.denyErrors(file.Path, err)
	}
	return nil
}

// parse returns no module for an empty file, for which Rego v1 has no error.
func parse(file policy.File, caps *ast.Capabilities) (_ *ast.Module, errV1, errV0 error) {
	options := ast.ParserOptions{Capabilities: caps, ProcessAnnotation: true, RegoVersion: ast.RegoV1}
	module, errV1 := ast.ParseModuleWithOpts(file.Path, string(file.Content), options)
	if errV1 == nil && module != nil {
		return module, nil, nil
	}
	options.RegoVersion = ast.RegoV0
	if module, errV0 = ast.ParseModuleWithOpts(file.Path, string(file.Content), options); errV0 != nil {
		module = nil
	}
	return module, errV1, errV0
}

// checkTests denies rules in a file of tests that have the name of those that are evaluated. Tests that
// can't be read, or that fail, say nothing of a plan.
func (e *evaluation) checkTests(file policy.File, caps *ast.Capabilities) {
	module, _, _ := parse(file, caps)
	if module == nil || !module.Package.Path.Equal(mainPackage) {
		return
	}
	for _, rule := range module.Rules {
		if name := firstName(rule); evaluatedName.MatchString(name) {
			e.deny(ruleAt(name, rule.Location), "a file whose name ends in _test.rego has tests, and its other rules are not evaluated: rename it, or move this rule")
		}
	}
}

func line(err error) int {
	var all ast.Errors
	if errors.As(err, &all) && len(all) > 0 && all[0].Location != nil {
		return all[0].Location.Row
	}
	return 0
}

// denyErrors adds errors of the parser or the compiler, each once.
func (e *evaluation) denyErrors(file string, err error) {
	var all ast.Errors
	if !errors.As(err, &all) {
		e.deny(policy.Rule{File: file}, err.Error())
		return
	}
	for _, one := range all {
		rule := policy.Rule{File: file}
		if one.Location != nil && one.Location.File != "" {
			rule = ruleAt("", one.Location)
		}
		message := policy.Message{Rule: rule, Text: copies.ReplaceAllString(one.Message, "$1")}
		if !slices.ContainsFunc(e.verdict.Denied, func(m policy.Message) bool { return m.Rule == rule && m.Text == message.Text }) {
			e.deny(rule, message.Text)
		}
	}
}

// copies are the names that load gives to definitions.
var copies = regexp.MustCompile(`\b([a-zA-Z0-9_]+) \d+\.\d+\b`)

func ruleAt(name string, at *ast.Location) policy.Rule {
	if at == nil {
		return policy.Rule{Name: name}
	}
	return policy.Rule{Name: name, File: at.File, Line: at.Row}
}

// isEvaluated reports whether a rule of package main is evaluated.
func isEvaluated(rule *ast.Rule) bool {
	return evaluatedName.MatchString(string(rule.Head.Name)) && len(rule.Head.Reference) == 1 && len(rule.Head.Args) == 0
}

// checkHeads denies rules that are named as those that are evaluated, and have a form that says
// something else. conftest passes over most of them.
func (e *evaluation) checkHeads(module *ast.Module) {
	for _, rule := range module.Rules {
		name := firstName(rule)
		switch {
		case !evaluatedName.MatchString(name) || isEvaluated(rule):
		case len(rule.Head.Args) > 0:
			e.deny(ruleAt(name, rule.Location), fmt.Sprintf("%s is a function, which nothing calls here: write `%s contains msg if { … }`", name, name))
		default:
			e.deny(ruleAt(name, rule.Location), fmt.Sprintf("%s is no set of messages: write `%s contains msg if { … }`", rule.Head.Ref(), name))
		}
	}
}

func firstName(rule *ast.Rule) string {
	if len(rule.Head.Reference) > 0 {
		if v, ok := rule.Head.Reference[0].Value.(ast.Var); ok {
			return string(v)
		}
	}
	return string(rule.Head.Name)
}

// checkReached denies files that nothing evaluates, and rules that are named like those that are
// evaluated, and are not.
func (e *evaluation) checkReached(originals []*ast.Module) {
	reached := map[*ast.Rule]bool{}
	var reach func(rule *ast.Rule)
	reach = func(rule *ast.Rule) {
		if reached[rule] {
			return
		}
		reached[rule] = true
		for next := range e.loaded.compiler.Graph.Dependencies(rule) {
			reach(next.(*ast.Rule))
		}
	}
	start := map[string]bool{"exception": true}
	for _, q := range e.loaded.queries {
		start[q.name] = true
		start[string(q.ref[len(q.ref)-1].Value.(ast.String))] = true
	}
	for _, module := range e.loaded.compiler.Modules {
		for _, rule := range module.Rules {
			if module.Package.Path.Equal(mainPackage) && start[firstName(rule)] {
				for ; rule != nil; rule = rule.Else {
					reach(rule)
				}
			}
		}
	}
	files := map[string]bool{}
	for rule := range reached {
		if rule.Location != nil {
			files[rule.Location.File] = true
		}
	}
	for _, module := range originals {
		file := module.Package.Location.File
		name := strings.TrimPrefix(module.Package.Path.String(), "data.")
		inMain := module.Package.Path.Equal(mainPackage)
		if !files[file] {
			misspelled := !inMain && levenshtein.Distance(name, "main", nil) <= 2
			if !e.isSpare(file) || misspelled {
				e.deny(policy.Rule{File: file, Line: module.Package.Location.Row},
					fmt.Sprintf("nothing evaluates this file: its package is %s, and only the rules deny, violation, warn and require_approval of package main are evaluated, with what they use", name))
				continue
			}
			if !inMain {
				continue
			}
		}
		compiled := e.loaded.compiler.Modules[file]
		for _, rule := range compiled.Rules {
			name := firstName(rule)
			if reached[rule] || strings.HasPrefix(name, "test_") {
				continue
			}
			switch meant := likeEvaluated(name); {
			case meant == "":
			case inMain:
				e.deny(ruleAt(name, rule.Location), fmt.Sprintf("nothing evaluates the rule %s: is it meant to be %s?", name, meant))
			default:
				e.deny(ruleAt(name, rule.Location), fmt.Sprintf("nothing evaluates the rule %s, since it is not in package main", name))
			}
		}
	}
}

// likeEvaluated is the name of an evaluated rule that a name equals or that it is probably meant to
// be; else empty.
func likeEvaluated(name string) string {
	name = strings.ToLower(name)
	first, _, _ := strings.Cut(name, "_")
	for _, known := range []string{"deny", "violation", "warn", "exception", "require_approval"} {
		far := 1
		if len(known) > 4 {
			far = 2
		}
		if first == known || strings.HasPrefix(name, known) || levenshtein.Distance(first, known, nil) <= far || levenshtein.Distance(name, known, nil) <= far {
			return known
		}
	}
	return ""
}

// reserved are the members of data that newRun sets.
var reserved = []string{"gitops", "conftest"}

// merge adds a file's data, as opa and conftest do: at the root, or under the names of the folders
// below the policies' folder.
func (e *evaluation) merge(data ast.Object, file policy.File) ast.Object {
	at := policy.Rule{File: file.Path}
	var value any
	err := readOnce(file)
	if err == nil {
		err = util.Unmarshal(file.Content, &value)
	}
	if err != nil {
		e.deny(at, fmt.Sprintf("the data can't be read: %v", err))
		return data
	}
	content, err := ast.InterfaceToValue(value)
	if err != nil {
		e.deny(at, fmt.Sprintf("the data can't be read: %v", err))
		return data
	}
	object, ok := content.(ast.Object)
	if !ok {
		e.deny(at, "the data is not an object (a mapping)")
		return data
	}
	folders := ""
	if file.Root != "" {
		if below, ok := strings.CutPrefix(path.Dir(file.Path)+"/", strings.TrimSuffix(file.Root, "/")+"/"); ok {
			folders = strings.Trim(below, "/")
		}
	}
	if folders != "" {
		for _, folder := range slices.Backward(strings.Split(folders, "/")) {
			object = ast.NewObject(ast.Item(ast.StringTerm(folder), ast.NewTerm(object)))
		}
	}
	for _, name := range reserved {
		if member(object, name) != nil {
			e.deny(at, fmt.Sprintf("the data has %s, which the action itself sets", name))
		}
	}
	merged, ok := data.Merge(object)
	if !ok {
		e.deny(at, "the data has a value that another file also has")
		return data
	}
	return merged
}

// readOnce refuses data of which opa would leave out a part: all documents but the first, and all
// values of a key but the last. A limit that nobody reads would let plans through.
func readOnce(file policy.File) error {
	if path.Ext(file.Path) == ".json" {
		_, err := decode(bytes.NewReader(bytes.TrimPrefix(file.Content, []byte("\ufeff"))))
		return err
	}
	documents := yaml.NewDecoder(bytes.NewReader(file.Content))
	var one any
	if err := documents.Decode(&one); err != nil {
		return err
	}
	switch err := documents.Decode(&one); {
	case err == nil:
		return errors.New("it has more than one document")
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// hasData reports whether a rule's path is in the data, too, or in what the action adds to it.
func hasData(data ast.Object, path []string) bool {
	if slices.Contains(reserved, path[0]) {
		return true
	}
	var v ast.Value = data
	for _, name := range path {
		object, ok := v.(ast.Object)
		if !ok {
			return true // the data has a value above the rule
		}
		if v = member(object, name); v == nil {
			return false
		}
	}
	return true
}
