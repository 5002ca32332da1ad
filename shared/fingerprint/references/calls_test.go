package references

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLocalModuleCallsAreFound(t *testing.T) {
	t.Parallel()
	call := func(sources ...string) (calls []Call) {
		for _, s := range sources {
			calls = append(calls, Call{Source: s})
		}
		return calls
	}
	for name, x := range map[string]struct {
		file, content string
		calls         []Call
		notAll        bool
	}{
		"block":              {"a.tf", "module \"x\" {\n  source = \"./x\"\n}\n", call("./x"), false},
		"above":              {"a.tofu", "module \"x\" {\n  version = 1\n  source=\"../x\"\n}\n", call("../x"), false},
		"one line":           {"a.tf", "module \"x\" { source = \"./x\" }", call("./x"), false},
		"bare label":         {"a.tf", "module x {\n  source = \"./x\"\n}", call("./x"), false},
		"Windows line ends":  {"a.tf", "module \"x\" {\r\n  source = \"./x\"\r\n}\r\n", call("./x"), false},
		"byte order mark":    {"a.tf", "\ufeffmodule \"x\" {\n  source = \"./x\"\n}\n", call("./x"), false},
		"after comments":     {"a.tf", "# a\n// b\n/* c */ module \"x\" {\n  # d\n  source = \"./x\" # e\n}\n", call("./x"), false},
		"parentheses":        {"a.tf", "module \"x\" {\n  source = (\"./x\")\n}\n", call("./x"), false},
		"escapes":            {"a.tf", "module \"x\" {\n  source = \"\\u002e/x\"\n}\n", call("./x"), false},
		"two":                {"a.tf", "module \"x\" {\n  providers = {\n    source = \"./no\"\n  }\n  source = \"./x\"\n}\nmodule \"y\" {\n  source = \"./y\"\n}\n", call("./x", "./y"), false},
		"file with an error": {"a.tf", "resource {{{ }}}\n = = =\nmodule \"x\" {\n  source = \"./x\"\n}\n", nil, true},
		"registry":           {"a.tf", "module \"x\" {\n  source = \"a/b/c\"\n}\nmodule \"y\" {\n  source = \"git::https://x/y\"\n}\n", nil, false},
		"comment":            {"a.tf", "/*\nmodule \"x\" {\n  source = \"./x\"\n}\n*/\n", nil, false},
		"heredoc":            {"a.tf", "locals {\n  a = <<EOT\nmodule \"x\" {\n  source = \"./x\"\n}\nEOT\n}\n", nil, false},
		"another block":      {"a.tf", "resource \"module\" \"x\" {\n  source = \"./x\"\n}\nlocals {\n  module = { source = \"./x\" }\n}\n", nil, false},
		"nested block":       {"a.tf", "x {\n  module \"x\" {\n    source = \"./x\"\n  }\n}\n", nil, false},
		"attribute":          {"a.tf", "module = 1\nsource = \"./x\"\n", nil, false},
		"template":           {"a.tf", "module \"x\" {\n  source = \"../m/a-${var.x}/b\"\n}\n", []Call{{Source: "../m/", Prefix: true}}, true},
		"variable":           {"a.tf", "module \"x\" {\n  source = var.x\n}\n", nil, true},
		"no value":           {"a.tf", "module \"x\" {\n  source =", nil, true},
		"open string":        {"a.tf", "module \"x\" {\n  source = \"./x", call("./x"), true},
		"open block":         {"a.tf", "module \"x\" {\n  source = \"./x\"\n", call("./x"), true},
		"empty":              {"a.tf", "", nil, false},
		"binary":             {"a.tf", "\x00\xff\xfe", nil, false},

		"JSON":               {"a.tf.json", `{"module": {"x": {"source": "./x"}, "y": {"source": "a/b/c"}}}`, call("./x"), false},
		"JSON lists":         {"a.tofu.json", `[{"module": [{"x": [{"source": "../x"}]}]}]`, call("../x"), false},
		"JSON template":      {"a.tf.json", `{"module": {"x": {"source": "./m/${var.x}"}}}`, []Call{{Source: "./m/", Prefix: true}}, true},
		"JSON, other types":  {"a.tf.json", `{"module": {"x": {"source": 1}, "y": 2, "z": null}, "source": "./x"}`, nil, false},
		"JSON with an error": {"a.tf.json", `{"module": `, nil, true},
		"JSON, names twice":  {"a.tf.json", `{"module": {"x": {"source": "./x"}}, "module": {}}`, nil, true},
		"JSON, empty":        {"a.tf.json", "", nil, true},
	} {
		calls, all := (&File{Name: x.file, Content: []byte(x.content)}).Calls()
		for i := range calls {
			calls[i].Name = ""
		}
		if diff := cmp.Diff(x.calls, calls, cmp.AllowUnexported(Call{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if all == x.notAll {
			t.Errorf("%s: all is %v", name, all)
		}
	}
}

func FuzzLocalCalls(f *testing.F) {
	f.Add(true, "module \"x\" {\n  source = \"./x-${a}\"\n}\n")
	f.Add(false, `{"module": {"x": {"source": "./x"}}}`)
	f.Add(true, "module x { source = \"")
	f.Add(true, "<<A\n${\"")
	f.Fuzz(func(t *testing.T, native bool, content string) {
		name := "a.tf.json"
		if native {
			name = "a.tf"
		}
		file := &File{Name: name, Content: []byte(content)} // must not panic
		file.Calls()
		var all Reads
		all.Add(file)
		all.Finish()
	})
}
