package target

import (
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
		"of the root module":         {"a.tf", native(`file("${path.root}/x.sh")`), "root/x.sh"},
		"of the working directory":   {"a.tf", native(`file("${path.cwd}/x.sh")`), "root/x.sh"},
		"plain":                      {"a.tf", native(`file("../x.sh")`), "root/../x.sh"},
		"plain, from here":           {"a.tofu", native(`file("./../x.sh")`), "root/./../x.sh"},
		"further in":                 {"a.tf", native(`file("${path.module}/a/../../x.sh")`), "module/a/../../x.sh"},
		"inside":                     {"a.tf", native(`file("${path.module}/x..sh")`), ""},
		"inside, plain":              {"a.tf", native(`file("./x.sh")`), ""},
		"not a path":                 {"a.tf", native(`"..", "...", "../", "../..", "1..2", "x/../y", "https://x/../y"`), ""},
		"a folder":                   {"a.tf", native(`"${path.module}/..", "${path.module}/../../p"`), "module/.. module/../../p"},
		"a folder, plain":            {"a.tf", native(`fileset("..", "*"), "../p/"`), "root/.. root/../p/"},
		"an argument":                {"a.tf", "resource \"x\" \"y\" {\n  source = \"../x\"\n}\n", "root/../x"},
		"a key":                      {"a.tf", native(`{ "../x" = 1 }`), "root/../x"},
		"the rest is not constant":   {"a.tf", native(`"${path.module}/../p/a-${var.x}.json"`), "module/../p/"},
		"nothing but dots is":        {"a.tf", native(`"${path.module}/../${var.x}", "../../${var.x}"`), "module/../ root/../../"},
		"what follows is known":      {"a.tf", native(`"${path.module}${var.x}", "${path.module}_x/../y"`), ""},
		"the beginning is not known": {"a.tf", native(`"${var.x}/../y", "${dirname(path.module)}/../y", "${path.module.x}/../y"`), ""},
		"a pattern":                  {"a.tf", native(`fileset(path.module, "../p/*.json")`), "root/../p/"},
		"a directive":                {"a.tf", native(`"../p/%{ if true }x%{ endif }"`), "root/../p/"},
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
		"only a folder's name":        {"a.tf", native(`basename(abspath("${path.module}/..")), basename("../x"), dirname("../y/z")`), "root/../y/z"},
		"a module's source":           {"a.tf", "module \"x\" {\n  source = \"../x\"\n  y = \"../y\"\n}\nmodule \"z\" {\n  source = (\"../z\")\n}\n", "root/../y"},
		"a file with an error":        {"a.tf", "resource {{{ }}}\n = = =\n" + native(`"../x.sh"`), "root/../x.sh"},
		"no end":                      {"a.tf", `x = "../x.sh`, "root/../x.sh"},
		"one twice":                   {"a.tf", native(`"../x.sh", "../x.sh"`), "root/../x.sh"},
		"longer than paths can be":    {"a.tf", native(`"../` + strings.Repeat("x/", maxPath/2) + `"`), ""},
		"a local value":               {"a.tf", "locals {\n  up = \"${path.module}/../..\"\n}\nx = \"${local.up}/x.sh\"\ny = \"${local.up}/p/${var.x}\"\n", "module/../../p/ module/../../x.sh"},
		"a local value, nothing else": {"a.tf", "locals {\n  up = abspath(\"../..\")\n}\n", ""},
		"a local value, as it is":     {"a.tf", "locals {\n  up = abspath(\"../..\")\n  name = basename(local.up)\n}\nx = fileset(local.up, \"*\")\n", "root/../.."},
		"a local value, in a module":  {"a.tf", "locals {\n  up = \"../..\" # a\n}\nmodule \"x\" {\n  source = \"./x\"\n  up = local.up\n}\n", "root/../.."},
		"of another local value":      {"a.tf", "locals {\n  here = path.module\n  up = \"${local.here}/..\"\n  p = \"${local.up}/p\"\n  q = local.p\n}\nx = \"${local.q}/x.sh\"\n", "module/../p/x.sh"},
		"a circle":                    {"a.tf", "locals {\n  a = \"${local.b}/..\"\n  b = \"${local.a}/..\"\n}\nx = \"${local.a}/x.sh\"\n", ""},
		"a local value that is more":  {"a.tf", "locals {\n  a = \"${path.module}/..\" == 1\n}\nx = \"${local.a}/x.sh\"\n", "module/.."},
		"a local value, twice":        {"a.tf", "locals {\n  a = \"../p\"\n  a = \"../q\"\n}\nx = \"${local.a}/x.sh\"\n", "root/../p root/../q/x.sh"},
		"another local value":         {"a.tf", "locals {\n  a = \"x\"\n}\nx = \"${local.a}/../x.sh\"\n", ""},
		"nothing to find":             {"a.tf", "x = local.x\n", ""},

		"JSON":                  {"a.tf.json", `{"resource": {"x": {"y": {"a": ["${path.module}/../x.sh"], "b": "${file(\"../y.sh\")}", "c": "../p/${var.x}"}}}}`, "module/../x.sh root/../p/ root/../y.sh"},
		"JSON, module's source": {"a.tofu.json", `[{"module": [{"x": [{"source": "../x", "y": "../y"}]}]}]`, "root/../y"},
		"JSON, a local value":   {"a.tf.json", `{"locals": {"up": "${path.module}/.."}, "output": {"x": {"value": "${local.up}/x.sh"}}}`, "module/../x.sh"},
		"JSON with an error":    {"a.tf.json", `{"x": "../x.sh"`, ""},
	} {
		var all modulePaths
		all.read(&terraformFile{name: x.file, content: []byte(x.content)})
		if diff := cmp.Diff(x.want, outward(all, false)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// outward are the paths that lead out of the folder "module", sorted.
func outward(all modulePaths, root bool) string {
	var list []string
	for _, out := range all.outward("module", root) {
		if out.from == "" {
			out.from = "root"
		}
		list = append(list, out.from+out.path)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestTheRootModulesOwnFolderIsThatOfPlainPaths(t *testing.T) {
	t.Parallel()
	var all modulePaths
	all.read(&terraformFile{name: "a.tf", content: []byte(`x = ["../x.sh", "${path.root}/y.sh", "${path.root}/../z.sh"]`)})
	if diff := cmp.Diff("module/../x.sh module/../z.sh", outward(all, true)); diff != "" {
		t.Error(diff)
	}
}

func TestALocalValueIsKnownInAllFilesOfItsModule(t *testing.T) {
	t.Parallel()
	var all modulePaths
	for _, content := range []string{`x = "${local.b}/x.sh"`, "locals {\n  b = local.a\n}\n", `x = "${local.c}/x.sh"`, "locals {\n  a = \"${path.module}/..\"\n}\n"} {
		all.read(&terraformFile{name: "a.tf", content: []byte(content)})
	}
	if diff := cmp.Diff("module/../x.sh", outward(all, false)); diff != "" {
		t.Error(diff)
	}
}
