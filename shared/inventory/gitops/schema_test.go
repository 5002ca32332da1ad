package gitops

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "gitops.schema.json"

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(schemaFile, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// rawSchema is the schema as a plain document.
func rawSchema(t *testing.T) map[string]any {
	t.Helper()
	content, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(content, &raw); err != nil {
		t.Fatal(err)
	}
	return raw
}

// decodeAny is a YAML document as an editor's schema check sees it.
func decodeAny(t *testing.T, content string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(content), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSchemaAndLoaderJudgeAlike(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	const rest = "\ncomponents: {a: }\nstacks: {dev: }"
	component := func(s string) string { return "components: {a: {" + s + "}}\nstacks: {dev: }" }
	stack := func(s string) string { return "components: {a: }\nstacks: {dev: {" + s + "}}" }
	for yamlText, valid := range map[string]bool{
		rest:                                 true,
		"components: {}\nstacks: {dev: }":    false,
		"components: {a: }\nstacks: {}":      false,
		"components:\nstacks: {dev: }":       false,
		"components: {a: }":                  true,
		"stacks: {dev: }":                    true,
		"{}":                                 true,
		"discover: ['**']" + rest:            true,
		"discover: []" + rest:                false,
		"discover: a" + rest:                 false,
		"discover: [a, a]" + rest:            false,
		"components: [a]\nstacks: {dev: }":   false,
		"components: {a: 1}\nstacks: {b: }":  false,
		"components: {a: }\nstacks: [dev]":   false,
		"components: {a: []}\nstacks: {b: }": false,
		"- a":                                false,
		"a":                                  false,

		"terraform-version: '1.10'" + rest:                                           true,
		"opentofu-version: latest" + rest:                                            true,
		"terraform-version: 1.10" + rest:                                             false,
		"terraform-version: ''" + rest:                                               false,
		"terraform-version:" + rest:                                                  false,
		"terraform-version: '1'\nopentofu-version: '1'" + rest:                       false,
		"terraform_version: '1'" + rest:                                              false,
		"artifact-storage: {region: r, bucket: b, table: t, role: x, url: u}" + rest: true,
		"artifact-storage:" + rest:                                                   true,
		"artifact-storage: {region: ''}" + rest:                                      true,
		"artifact-storage: {region: 1}" + rest:                                       false,
		"artifact-storage: {region: }" + rest:                                        false,
		"artifact-storage: {prefix: x}" + rest:                                       false,
		"artifact-storage: {role: {plan: a, apply: b}}" + rest:                       true,
		"artifact-storage: {role: {}}" + rest:                                        true,
		"artifact-storage: {role: ''}" + rest:                                        true,
		"artifact-storage: {role: }" + rest:                                          false,
		"artifact-storage: {role: 1}" + rest:                                         false,
		"artifact-storage: {role: [a]}" + rest:                                       false,
		"artifact-storage: {role: {plan: }}" + rest:                                  false,
		"artifact-storage: {role: {review: a}}" + rest:                               false,
		"artifact-storage: {role: \"a\\nb\"}" + rest:                                 false,
		"audience: https://example.com" + rest:                                       true,
		"audience: ''" + rest:                                                        false,
		"audience: 1" + rest:                                                         false,
		"artifact-storage: x" + rest:                                                 false,
		"role: {plan: a, apply: b}" + rest:                                           true,
		"role: {plan: }" + rest:                                                      false,
		"role: {review: a}" + rest:                                                   false,
		"role: x" + rest:                                                             false,
		"path: x" + rest:                                                             true,
		"environment: '{stack}'" + rest:                                              true,
		"environment: [x]" + rest:                                                    false,
		"google: {plan: {workload-identity-provider: projects/1/locations/global/workloadIdentityPools/pool/providers/github, service-account: plan@acme.iam.gserviceaccount.com}}" + rest: true,
		"google: {plan: {workload-identity-provider: github}}" + rest: false,
		"google: {plan: {service-account: plan}}" + rest:              false,
		"google: {workload-identity-provider: ''}" + rest:             false,
		"google:" + rest: true,
		"azure: {apply: {client-id: 00000000-1111-2222-3333-444444444444, tenant-id: 00000000-1111-2222-3333-444444444444, subscription-id: ''}}" + rest: true,
		"azure: {apply: {client-id: planner, tenant-id: 00000000-1111-2222-3333-444444444444}}" + rest:                                                   false,
		"azure: {apply: {object-id: 00000000-1111-2222-3333-444444444444}}" + rest:                                                                       false,
		"path: ''" + rest:                 false,
		"path: [x]" + rest:                false,
		"path: \"a\\nb\"" + rest:          false,
		"path: \"a\\x7fb\"" + rest:        false,
		"path: \"a\\x85b\"" + rest:        false,
		"workspace: ''" + rest:            true,
		"workspace: \"a\\tb\"" + rest:     false,
		"var-files: []" + rest:            true,
		"var-files: [a, a]" + rest:        true,
		"var-files:" + rest:               false,
		"var-files: a" + rest:             false,
		"var-files: {a: b}" + rest:        false,
		"var-files: ['']" + rest:          false,
		"var-files: [1]" + rest:           false,
		"var-files: [~]" + rest:           false,
		"backend-config: [a=b, c]" + rest: true,
		"backend-config: {a: b}" + rest:   false,
		"drift: {ignore: [{aws_iam_role.*: [inline_policy]}, {\"**\": [tags.X, \"**\"]}]}" + rest: true,
		"drift: {ignore: {aws_iam_role.*: [inline_policy]}}" + rest:                               true,
		"drift: {ignore: []}" + rest:                                true,
		"drift:" + rest:                                             true,
		"drift: {ignore: }" + rest:                                  false,
		"drift: {ignore: x}" + rest:                                 false,
		"drift: {ignore: [x]}" + rest:                               false,
		"drift: {ignore: [{a.b: }]}" + rest:                         false,
		"drift: {ignore: [{a.b: c}]}" + rest:                        false,
		"drift: {ignore: [{a.b: []}]}" + rest:                       false,
		"drift: {ignore: [{a.b: [1]}]}" + rest:                      false,
		"drift: {ignore: [{a.b: ['']}]}" + rest:                     false,
		"drift: {ignores: []}" + rest:                               false,
		component("drift: {ignore: [{a.b: [c]}]}"):                  true,
		component("stacks: {dev: {drift: {ignore: [{a.b: [c]}]}}}"): true,
		stack("drift: {ignore: [{a.b: [c]}]}"):                      true,
		"policy: {path: [policies, 'rego/**/*.rego'], include: ['{stack}/**'], exclude: [a.rego], override: {teams: [acme/security]}}" + rest: true,
		"policy:" + rest:                                                            true,
		"policy: {path: []}" + rest:                                                 true,
		"policy: {path: policies}" + rest:                                           false,
		"policy: {path: [a, a]}" + rest:                                             false,
		"policy: {include: []}" + rest:                                              true,
		"policy: {includes: [a]}" + rest:                                            false,
		"policy: {override: {teams: []}}" + rest:                                    false,
		"policy: {override: {teams: [security]}}" + rest:                            false,
		"policy: {override: {users: [alice]}}" + rest:                               false,
		component("policy: {include: [a], exclude: [b]}"):                           true,
		component("policy: {path: [a]}"):                                            false,
		component("stacks: {dev: {policy: {include: [a]}, approvals: {count: 2}}}"): true,
		stack("policy: {override: {teams: [acme/security]}}"):                       false,
		stack("approvals: {teams: [acme/dba], users: [alice, 'renovate[bot]', bob_acme], newer-than-plan: false, codeowners: true}"): true,
		"approvals: {count: 1}" + rest:                    true,
		"approvals: {count: 0}" + rest:                    true,
		"approvals: {count: -1}" + rest:                   false,
		"approvals: {count: 21}" + rest:                   false,
		"approvals: {count: '1'}" + rest:                  false,
		"approvals: {count: 1.5}" + rest:                  false,
		"approvals: {count: }" + rest:                     false,
		"approvals: {count: true}" + rest:                 false,
		"approvals: {teams: [dba]}" + rest:                false,
		"approvals: {teams: ['@acme/dba']}" + rest:        false,
		"approvals: {teams: [acme/dba, acme/dba]}" + rest: false,
		"approvals: {users: ['@alice']}" + rest:           false,
		"approvals: {users: [acme/dba]}" + rest:           false,
		"approvals: {newer-than-plan: 'no'}" + rest:       false,
		"env: {A: b, C: ''}" + rest:                       true,
		"env:" + rest:                                     true,
		"env: {A: \"b\\n\\tc\\r\"}" + rest:                true,
		"env: {A: \"b\\0\"}" + rest:                       false,
		"env: {A: \"b\\x1b\"}" + rest:                     false,
		"env: {A: 1}" + rest:                              false,
		"env: {A: }" + rest:                               false,
		"env: {A: [b]}" + rest:                            false,
		"env: {'': b}" + rest:                             false,
		"env: {'a=b': c}" + rest:                          false,
		"env: {TF_WORKSPACE: c}" + rest:                   false,
		"env: {TF_DATA_DIR: c}" + rest:                    false,
		"env: {\"a\\nb\": c}" + rest:                      false,
		"env: [A=b]" + rest:                               false,
		"depends-on: [a]" + rest:                          false,

		component("path: x, workspace: '', var-files: [a], backend-config: [b], env: {A: b}, stacks: [dev]"): true,
		component("path: ''"):                         false,
		component("workspaces: x"):                    false,
		component("role: {plan: x}"):                  true,
		component("environment: x"):                   true,
		component("environment: ''"):                  false,
		component("artifact-storage: {}"):             false,
		component("audience: x"):                      false,
		component("terraform-version: '1'"):           false,
		component("depends-on: []"):                   true,
		component("depends-on:"):                      false,
		component("depends-on: b"):                    false,
		component("depends-on: [b, b]"):               false,
		component("depends-on: ['']"):                 false,
		component("stacks: []"):                       false,
		component("stacks:"):                          false,
		component("stacks: [dev, dev]"):               false,
		component("stacks: {dev: }"):                  true,
		component("stacks: {'*': {role: {plan: x}}}"): true,
		component("stacks: {dev: {workspace: x, env: {A: b}, environment: y, google: {}}}"): true,
		component("stacks: {dev: {path: x}}"):                                               false,
		component("stacks: {dev: {depends-on: [b]}}"):                                       false,
		component("stacks: {dev: [x]}"):                                                     false,
		component("destroy: true"):                                                          true,
		component("destroy: 'yes'"):                                                         false,
		component("destroy:"):                                                               false,
		component("stacks: {dev: {destroy: false}}"):                                        true,
		stack("destroy: true"):                                                              false,
		component("stacks: {}"):                                                             false,
		component("stacks: dev"):                                                            false,
		component("var-files: [\"a\\nb\"]"):                                                 false,
		component("backend-config: [[a]]"):                                                  false,
		component("env: {TF_WORKSPACE: x}"):                                                 false,

		stack("workspace: x, var-files: [a], backend-config: [b], env: {A: b}, role: {plan: x}, audience: y, artifact-storage: {url: x}"): true,
		stack("role:"):                        true,
		stack("role: {plans: x}"):             false,
		stack("path: x"):                      false,
		stack("depends-on: [a]"):              false,
		stack("stacks: [dev]"):                false,
		stack("components: {a: }"):            false,
		stack("env: {A: true}"):               false,
		stack("artifact-storage: {role: {}}"): true,

		"components: {'': }\nstacks: {dev: }":                             false,
		"components: {\"a\\nb\": }\nstacks: {dev: }":                      false,
		"components: {\"a\\u200bb\": }\nstacks: {b: }":                    false,
		"components: {a: }\nstacks: {\"\\x7f\": }":                        false,
		"components: {a: }\nstacks: {" + strings.Repeat("b", 201) + ": }": false,
		"components: {a b/ć#%: }\nstacks: {dev.x: }":                      true,
	} {
		bySchema := schema.Validate(decodeAny(t, yamlText))
		_, byLoader := load(t, yamlText)
		if (bySchema == nil) != valid || (byLoader == nil) != valid {
			t.Errorf("valid should be %v:\n%s\nschema: %v\nloader: %v", valid, yamlText, bySchema, byLoader)
		}
	}
}

// properties are the schema's properties at a place, through $ref.
func properties(t *testing.T, raw, at map[string]any) map[string]any {
	t.Helper()
	if ref, ok := at["$ref"].(string); ok {
		at = raw["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	if at["additionalProperties"] != false {
		t.Errorf("additionalProperties is not false in %v", at["description"])
	}
	return at["properties"].(map[string]any)
}

func TestSchemaHasTheLoadersKeys(t *testing.T) {
	t.Parallel()
	raw := rawSchema(t)
	var compare func(where string, typ reflect.Type, at map[string]any)
	compare = func(where string, typ reflect.Type, at map[string]any) {
		inSchema := properties(t, raw, at)
		var keys []string
		for _, f := range keyedFields(typ) {
			keys = append(keys, f.key)
			child, ok := inSchema[f.key].(map[string]any)
			if !ok {
				continue // reported below
			}
			if d, _ := child["description"].(string); len(d) < 20 || !strings.HasSuffix(d, ".") {
				t.Errorf("%s.%s has no description", where, f.key)
			}
			switch ft := typ.FieldByIndex(f.index).Type; {
			case ft == membershipsType:
				compare(where+"."+f.key+".*", reflect.TypeFor[inStack](), child["else"].(map[string]any)["additionalProperties"].(map[string]any))
			case ft.Kind() == reflect.Map && ft.Elem() != textType:
				compare(where+"."+f.key+".*", ft.Elem(), child["additionalProperties"].(map[string]any))
			case ft.Kind() == reflect.Struct && ft != textType && ft != flagType && ft != numberType:
				compare(where+"."+f.key, ft, child)
			}
		}
		var schemaKeys []string
		for key := range inSchema {
			schemaKeys = append(schemaKeys, key)
		}
		slices.Sort(keys)
		slices.Sort(schemaKeys)
		if diff := cmp.Diff(keys, schemaKeys); diff != "" {
			t.Errorf("keys of %s (-loader +schema):\n%s", where, diff)
		}
	}
	compare("gitops.yaml", reflect.TypeFor[document](), raw)
}
