package references

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPathsOutOfAModuleAreFound(t *testing.T) {
	t.Parallel()
	native := func(expression string) string { return "locals {\n  x = f(" + expression + ")\n}\n" }
	for name, x := range map[string]struct {
		file, content string
		want          string // "module" is the module's folder, "root" that of the root module
	}{
		"of the module":              {"a.tf", native(`file("${path.module}/../x.sh")`), "module/../x.sh"},
		"of the root module":         {"a.tf", native(`file("${path.root}/../x.sh")`), "root/../x.sh"},
		"of the working directory":   {"a.tf", native(`file("${path.cwd}/../x.sh")`), "root/../x.sh"},
		"plain":                      {"a.tf", native(`file("../x.sh")`), "root/../x.sh"},
		"plain, from here":           {"a.tofu", native(`file("./../x.sh")`), "root/./../x.sh"},
		"further in":                 {"a.tf", native(`file("${path.module}/a/../../x.sh")`), "module/a/../../x.sh"},
		"inside":                     {"a.tf", native(`file("${path.module}/x..sh")`), ""},
		"inside, plain":              {"a.tf", native(`file("./x.sh")`), ""},
		"not a path":                 {"a.tf", native(`"..", "...", "../", "../..", "1..2", "x/../y", "https://x/../y"`), ""},
		"a folder":                   {"a.tf", native(`"${path.module}/..", "${path.module}/../../p"`), "module/.. module/../../p"},
		"a folder, plain":            {"a.tf", native(`fileset("..", "*"), "../p/"`), "root/../ root/../p/"},
		"an argument":                {"a.tf", "resource \"x\" \"y\" {\n  source = \"../x\"\n}\n", "root/../x"},
		"a key":                      {"a.tf", native(`{ "../x" = 1 }`), "root/../x"},
		"the rest is not constant":   {"a.tf", native(`"${path.module}/../p/a-${var.x}.json"`), "module/../p/"},
		"nothing but dots is":        {"a.tf", native(`"${path.module}/../${var.x}", "../../${var.x}"`), "module/../ root/../../"},
		"what follows is known":      {"a.tf", native(`"${path.module}${var.x}", "${path.module}_x/../y"`), ""},
		"the beginning is not known": {"a.tf", native(`"${var.x}/../y", "${dirname(path.module)}/../y", "${path.module.x}/../y"`), "module/../../y"},
		"a pattern":                  {"a.tf", native(`fileset(path.module, "../p/*.json")`), "module/../p/"},
		"a directive":                {"a.tf", native(`"../p/%{ if true }x%{ endif }"`), "root/../p/ root/../p/x"},
		"in another template":        {"a.tf", native(`"a ${file("${path.module}/../x.sh")} b"`), "module/../x.sh"},
		"spaces and comments":        {"a.tf", "x = [ # ../a\n  \"${ path.module }/../x.sh\", // ../b\n  \"${~path.module~}/../y.sh\" /* \"../c\" */\n]\n", "module/../x.sh module/../y.sh"},
		"an escape":                  {"a.tf", native(`file("\u002e\U0000002e/x.sh")`), "root/../x.sh"},
		"one that is no template":    {"a.tf", native(`"$${path.module}/../x.sh"`), ""},
		"a command": {"a.tf", native(`"${path.module}/../x.sh -v ../y.sh .. ../../ > ${var.x}"`),
			"module/../x.sh module/../x.sh -v ../y.sh .. ../../ root/../y.sh"},
		"after an interpreter":        {"a.tf", native(`"bash -c '${path.module}/../x.sh ${var.x}' ../p/${var.y}"`), "module/../x.sh root/../p/"},
		"after an option":             {"a.tf", native(`"x --file=../x.sh --dir=../p/${var.x}"`), "root/../p/ root/../x.sh"},
		"a sign in a name":            {"a.tf", native(`"../p/stage=${var.x}/y", "${path.module}/../p/stage=x/y"`), "module/../p/stage=x/y root/../p/"},
		"a space in a name":           {"a.tf", native(`"${path.module}/../a b/x.sh", "../a b/${var.x}"`), "module/../a module/../a b/x.sh root/../a root/../a b/"},
		"a heredoc":                   {"a.tf", "x = <<-EOT\n  cd ${path.module}/../p; make\n  ../x.sh\n  cd ..\nEOT\n", "module/../p root/../x.sh"},
		"only a folder's name":        {"a.tf", native(`basename(abspath("${path.module}/..")), basename("../x"), dirname("../y/z")`), "root/../y/z/.."},
		"a module's source":           {"a.tf", "module \"x\" {\n  source = \"../x\"\n  y = \"../y\"\n}\nmodule \"z\" {\n  source = (\"../z\")\n}\n", "root/../y"},
		"a file with an error":        {"a.tf", "resource {{{ }}}\n = = =\n" + native(`"../x.sh"`), ""},
		"no end":                      {"a.tf", `x = "../x.sh`, "root/../x.sh"},
		"one twice":                   {"a.tf", native(`"../x.sh", "../x.sh"`), "root/../x.sh"},
		"longer than paths can be":    {"a.tf", native(`"../` + strings.Repeat("x/", maxPath/2) + `"`), ""},
		"a local value":               {"a.tf", "locals {\n  up = \"${path.module}/../..\"\n}\nx = \"${local.up}/x.sh\"\ny = \"${local.up}/p/${var.x}\"\n", "module/../../p/ module/../../x.sh"},
		"a local value, nothing else": {"a.tf", "locals {\n  up = abspath(\"../..\")\n}\n", ""},
		"a local value, as it is":     {"a.tf", "locals {\n  up = abspath(\"../..\")\n  name = basename(local.up)\n}\nx = fileset(local.up, \"*\")\n", "root/../../"},
		"a local value, in a module":  {"a.tf", "locals {\n  up = \"../..\" # a\n}\nmodule \"x\" {\n  source = \"./x\"\n  up = local.up\n}\n", "root/../.."},
		"of another local value":      {"a.tf", "locals {\n  here = path.module\n  up = \"${local.here}/..\"\n  p = \"${local.up}/p\"\n  q = local.p\n}\nx = \"${local.q}/x.sh\"\n", "module/../p/x.sh"},
		"a circle":                    {"a.tf", "locals {\n  a = \"${local.b}/..\"\n  b = \"${local.a}/..\"\n}\nx = \"${local.a}/x.sh\"\n", ""},
		"a local value that is more":  {"a.tf", "locals {\n  a = \"${path.module}/..\" == 1\n}\nx = \"${local.a}/x.sh\"\n", "module/.."},
		"a local value, twice":        {"a.tf", "locals {\n  a = \"../p\"\n  a = \"../q\"\n}\nx = \"${local.a}/x.sh\"\n", "root/../p/x.sh"},
		"another local value":         {"a.tf", "locals {\n  a = \"x\"\n}\nx = \"${local.a}/../x.sh\"\n", ""},
		"nothing to find":             {"a.tf", "x = local.x\n", ""},

		"JSON":                  {"a.tf.json", `{"resource": {"x": {"y": {"a": ["${path.module}/../x.sh"], "b": "${file(\"../y.sh\")}", "c": "../p/${var.x}"}}}}`, "module/../x.sh root/../p/ root/../y.sh"},
		"JSON, module's source": {"a.tofu.json", `[{"module": [{"x": [{"source": "../x", "y": "../y"}]}]}]`, "root/../y"},
		"JSON, a local value":   {"a.tf.json", `{"locals": {"up": "${path.module}/.."}, "output": {"x": {"value": "${local.up}/x.sh"}}}`, "module/../x.sh"},
		"JSON with an error":    {"a.tf.json", `{"x": "../x.sh"`, ""},
	} {
		var all Reads
		all.Add(&File{Name: x.file, Content: []byte(x.content)})
		if diff := cmp.Diff(x.want, outward(all, false)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// outward are the paths that lead out of the folder "module", which is under root, and
// those inside it with "in/" before them where inside is set.
func outward(all Reads, inside bool) string {
	all.Finish()
	seen := make(map[string]bool)
	for _, p := range all.Paths {
		from := "module"
		if p.OfRoot {
			from = "root"
		}
		if inside || slices.Contains(strings.Split(p.Path, "/"), "..") {
			seen[from+p.Path] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(seen)), " ")
}

func TestALocalValueIsKnownInAllFilesOfItsModule(t *testing.T) {
	t.Parallel()
	var all Reads
	for _, content := range []string{"x = \"${local.b}/x.sh\"\n", "locals {\n  b = local.a\n}\n", "x = \"${local.c}/x.sh\"\n", "locals {\n  a = \"${path.module}/..\"\n}\n"} {
		all.Add(&File{Name: "a.tf", Content: []byte(content)})
	}
	if diff := cmp.Diff("module/../x.sh", outward(all, false)); diff != "" {
		t.Error(diff)
	}
}

// reads is what an expression reads: paths, words that may name something, and whether it
// may read anything.
func reads(t *testing.T, content string) string {
	t.Helper()
	var all Reads
	all.Add(&File{Name: "a.tf", Content: []byte(content)})
	list := []string{outward(all, true)}
	all = Reads{}
	all.Add(&File{Name: "a.tf", Content: []byte(content)})
	all.Finish()
	if len(all.Blind) > 0 {
		list = append(list, "blind")
	}
	for name := range all.Variables {
		list = append(list, "var."+name)
	}
	if all.Runs {
		list = append(list, "runs")
	}
	return strings.Trim(strings.Join(list, " "), " ")
}

func TestWhatAnExpressionReads(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`file("x.json")`: "root/x.json",
		`file("${path.module}/config/${var.a}.json")`:                                    "module/config/",
		`file("${path.module}/${var.a}.json")`:                                           "module/",
		`file(var.a)`:                                                                    "var.a",
		`file("${var.a}/x")`:                                                             "var.a",
		`file(random_id.a.hex)`:                                                          "blind",
		`file(local.a["x"])`:                                                             "blind",
		`file(format("%s/config/%s.json", path.module, var.a))`:                          "module/config/",
		`file(format("%5s/x", path.module))`:                                             "module blind",
		`file(join("/", [path.module, "config", "x.json"]))`:                             "module/config/x.json",
		`file(join("/", var.a))`:                                                         "blind",
		`file(var.a ? "x.json" : "${path.module}/y.json")`:                               "module/y.json root/x.json",
		`file(abspath("${path.root}/x.json"))`:                                           "root/x.json",
		`file("${dirname(path.module)}/x.json")`:                                         "module/../x.json",
		`file(try(local.nothing, "x.json"))`:                                             "root/x.json blind",
		`[for f in fileset(path.module, "config/*.json") : file("${path.module}/${f}")]`: "module/config/",
		`{ for f in fileset("${path.module}/config", "**") : f => file("${path.module}/config/${f}") }`: "module/config/",
		`[for f in ["a.json", "b.json"] : file("${path.module}/${f}")]`:                                 "module/a.json module/b.json",
		`[for k, v in { a = "x.json" } : file("${path.module}/${v}")]`:                                  "module/x.json",
		`[for f in var.a : file("${path.module}/${f}")]`:                                                "module/",
		`fileset(path.module, "**/*.json")`:                                                             "module/",
		`templatefile("${path.module}/t/${var.a}.tf", { x = file("y.json") })`:                          "module/t/ root/y.json",
		`path.module`:                                                          "module",
		`basename(path.module)`:                                                "",
		`jsonencode({ a = "${path.module}/x" })`:                               "module/x",
		`"-f${path.module}/x --dir=${path.root}/y/${var.a}"`:                   "module/x root/y/",
		`["%{ for x in var.a }${file("${path.module}/x/${x}")}%{ endfor }"]`:   "module/x/",
		`file("/etc/passwd")`:                                                  "",
		`[for x in toset(concat(["a"], ["b"])) : file("${path.module}/${x}")]`: "module/a module/b",
		`file(local.up)`:                                                       "blind",
	} {
		if diff := cmp.Diff(want, reads(t, "x = "+expression+"\n")); diff != "" {
			t.Errorf("%s: %s", expression, diff)
		}
	}
	for content, want := range map[string]string{
		"resource \"x\" \"y\" {\n  for_each = fileset(path.module, \"config/*.json\")\n  content = file(\"${path.module}/${each.value}\")\n}\n": "module/config/",
		"resource \"x\" \"y\" {\n  for_each = toset([\"a\", \"b\"])\n  b {\n    content = file(\"${path.module}/${each.key}.json\")\n  }\n}\n":  "module/a.json module/b.json",
		"resource \"x\" \"y\" {\n  provisioner \"local-exec\" {\n    command = \"x\"\n  }\n}\n":                                                 "runs",
		"data \"external\" \"y\" {\n  program = [\"${path.module}/x.sh\"]\n}\n":                                                                 "module/x.sh runs",
		"locals {\n  files = fileset(path.module, \"p/*\")\n}\nx = [for f in local.files : file(\"${path.module}/${f}\")]\n":                    "module/p/",
		"locals {\n  a = local.b\n  b = local.a\n}\nx = file(local.a)\n":                                                                        "blind",
		"x = " + strings.Repeat("[", 600) + "\n":                                                                                                "blind",
		"x = " + strings.Repeat("!", 30000) + "a\n":                                                                                             "blind",
		"x = {": "blind",
	} {
		if diff := cmp.Diff(want, reads(t, content)); diff != "" {
			t.Errorf("%s: %s", content[:min(len(content), 200)], diff)
		}
	}
}

// What a module's expressions refer to is looked at once, however often it is used.
func TestLocalValuesOfLocalValuesEnd(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("locals {\n  l0 = \"${path.module}/x\"\n")
	for i := range 100 {
		fmt.Fprintf(&b, "  l%d = \"%s\"\n", i+1, strings.Repeat(fmt.Sprintf("${local.l%d}", i), 10))
	}
	b.WriteString("}\nx = file(local.l100)\n")
	if got := reads(t, b.String()); !strings.Contains(got, "blind") {
		t.Error(got)
	}
}
