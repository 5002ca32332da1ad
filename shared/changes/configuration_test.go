package changes

import (
	"fmt"
	"strings"
	"testing"
)

// configured is a plan's configuration, with settings and provisioners in two modules.
const configured = `"configuration": {
	"provider_config": {
		"aws": {"name": "aws", "full_name": "registry.terraform.io/hashicorp/aws", "expressions": {"region": {"constant_value": "eu-west-1"}, "profile": {"references": ["var.profile"]}}},
		"module.m:aws": {"name": "aws", "module_address": "module.m", "expressions": {"region": {"constant_value": "us-east-2"}}}
	},
	"root_module": {
		"outputs": {"o": {"expression": {"references": ["var.x"]}}},
		"resources": [
			{"address": "t.a", "mode": "managed", "type": "t", "expressions": {"x": {"constant_value": 1}}, "provisioners": [
				{"type": "local-exec", "expressions": {"command": {"constant_value": "first"}, "interpreter": {"constant_value": ["sh", "-c"]}}},
				{"type": "local-exec", "expressions": {"command": {"references": ["var.x"]}}}
			]},
			{"address": "t.b", "mode": "managed", "type": "t", "expressions": {}, "provisioners": []}
		],
		"module_calls": {
			"m": {"source": "./m", "expressions": {"x": {"constant_value": 2}}, "module": {"module_calls": {"n": {"module": {"resources": [
				{"provisioners": [{"type": "file", "expressions": {"destination": {"constant_value": "/x"}}}], "address": "t.c"}
			]}}}}},
			"other": {"source": "./m", "module": null}
		},
		"variables": {"x": {}}
	}
}`

func TestDigestIsThatOfProvidersAndProvisionersToo(t *testing.T) {
	t.Parallel()
	replace := func(old, new string) string {
		if strings.Count(configured, old) != 1 {
			t.Fatalf("%q is not in the configuration once", old)
		}
		return strings.Replace(configured, old, new, 1)
	}
	digest := func(configuration string) string { return mustRead(t, document(configuration)).Digest }
	base := digest(configured)
	const resource = `{"address": "t.b", "mode": "managed", "type": "t", "expressions": {}, "provisioners": []}`
	for name, configuration := range map[string]string{
		"no whitespace":              strings.NewReplacer("\n", "", "\t", "", ": ", ":", ", ", ",").Replace(configured),
		"another order of members":   replace(`"command": {"constant_value": "first"}, "interpreter": {"constant_value": ["sh", "-c"]}`, `"interpreter": {"constant_value": ["sh", "-c"]}, "command": {"constant_value": "first"}`),
		"another order of modules":   replace(`"module_calls": {`+"\n", `"module_calls": {"another": {"module": {"resources": []}},`),
		"another order of resources": strings.Replace(replace(",\n\t\t\t"+resource, ""), `"resources": [`+"\n", `"resources": [`+resource+",", 1),
		"an escape":                  replace(`"first"`, `"\u0066irst"`),
		"another argument":           replace(`{"x": {"constant_value": 1}}`, `{"x": {"constant_value": 3}}`),
		"an argument of a module":    replace(`{"x": {"constant_value": 2}}`, `{"x": {"constant_value": 3}}`),
		"another source":             strings.ReplaceAll(configured, `"./m"`, `"./n"`),
		"no empty list":              replace(`, "provisioners": []`, ""),
		"another output":             replace(`{"o": {"expression"`, `{"p": {"expression"`),
		"another variable":           replace(`"variables": {"x": {}}`, `"variables": {"y": {}}`),
		"another resource":           replace(`"t.b"`, `"t.d"`),
	} {
		if digest(configuration) != base {
			t.Errorf("%s: the digest is another", name)
		}
	}
	seen := map[string]string{base: "the same configuration"}
	for name, configuration := range map[string]string{
		"none":                      `"configuration": null`,
		"another region":            replace(`"eu-west-1"`, `"eu-west-2"`),
		"another reference":         replace(`["var.profile"]`, `["var.role"]`),
		"another provider":          replace("hashicorp/aws", "acme/aws"),
		"a setting less":            replace(`, "profile": {"references": ["var.profile"]}`, ""),
		"a module's provider":       replace(`"us-east-2"`, `"us-east-1"`),
		"settings of another":       replace(`"module.m:aws"`, `"module.n:aws"`),
		"a provider more":           replace(`"provider_config": {`, `"provider_config": {"x": {},`),
		"another command":           replace(`"first"`, `"second"`),
		"another interpreter":       replace(`["sh", "-c"]`, `["-c", "sh"]`),
		"another kind":              replace(`"file"`, `"local-exec"`),
		"a provisioner less":        replace(",\n\t\t\t\t"+`{"type": "local-exec", "expressions": {"command": {"references": ["var.x"]}}}`, ""),
		"a provisioner more":        replace(`"provisioners": []`, `"provisioners": [{"type": "x"}]`),
		"provisioners of another":   replace(`"t.a"`, `"t.d"`),
		"in a module":               replace(`"/x"`, `"/y"`),
		"in a module, of another":   replace(`"t.c"`, `"t.d"`),
		"in another module":         replace(`"n": {"module"`, `"o": {"module"`),
		"in a module of another":    replace(`"m": {"source"`, `"o": {"source"`),
		"in a module with its name": replace(`"module": {"module_calls": {"n": {"module": {"resources"`, `"module": {"module_calls": {"n": {"module": {"outputs": {}, "resources": [{"address": "t.d", "provisioners": [1]}]}}, "o": {"module": {"resources"`),
	} {
		got := digest(configuration)
		if other, ok := seen[got]; ok {
			t.Errorf("%s: the digest is that of %s", name, other)
		}
		seen[got] = name
	}
	// Drift shows what changes, and nothing else.
	changed := document(replace(`"first"`, `"second"`), resourceChanges(change("t.a", `"actions":["create"]`)))
	if got, want := mustReadDrift(t, changed).Visible, mustReadDrift(t, document(resourceChanges(change("t.a", `"actions":["create"]`)))).Visible; got != want {
		t.Error("the configuration is visible")
	}
}

func TestReadRefusesAConfigurationThatIsNone(t *testing.T) {
	t.Parallel()
	for configuration, want := range map[string]string{
		`1`:                                "configuration: it is not an object",
		`{"provider_config":[]}`:           "configuration: it is not an object",
		`{"root_module":{"resources":{}}}`: "configuration: it is not a list",
		`{"root_module":{"resources":[{"address":1}]}}`:                                                                "configuration: it is not a string",
		`{"root_module":{"resources":[{"provisioners":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}]}}`: "configuration: it is nested deeper than 256 levels",
		`{"root_module":{"module_calls":{"m":{"module":{"resources":[1]}}}}}`:                                          "configuration: it is not an object",
		`{"root_module":` + strings.Repeat(`{"module_calls":{"m":{"module":`, 5_000):                                   "configuration: invalid JSON",
	} {
		_, err := Read(strings.NewReader(`{"format_version":"1.2","configuration":`+configuration+`}`), Limit{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error is %v, want it to say %q", configuration, err, want)
		}
	}
}

func TestRealPlansDifferInProvisioners(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	write := func(command string) {
		resource := fmt.Sprintf("resource \"terraform_data\" \"x\" {\n  input = 1\n  provisioner \"local-exec\" {\n    command = %q\n  }\n}\n", command)
		w.write("child/main.tf", resource)
		w.write("main.tf", "module \"child\" {\n  source = \"./child\"\n}\n")
	}
	write("echo one")
	first, _ := w.plan()
	again, _ := w.plan()
	write("echo two")
	other, _ := w.plan()
	if first.Digest != again.Digest {
		t.Error("the same configuration has another digest")
	}
	if first.Digest == other.Digest {
		t.Error("another command has the same digest")
	}
}
