package main

import (
	"reflect"
	"slices"
	"strings"
)

// sources returns, for each value of a component, the manifests that set it, the strongest first.
// Values from atmos.yaml have none.
func (c *component) sources() section {
	sources := section{}
	for key, final := range map[string]section{"vars": c.vars, "env": c.env, "settings": c.settings, "backend": c.backend} {
		path := []string{key}
		if key == "backend" {
			path = append(path, c.backendType)
		}
		described := section{}
		for name, value := range final {
			described[name] = section{"name": name, "final_value": value, "stack_dependencies": c.setIn(path, name)}
		}
		sources[key] = described
	}
	return sources
}

func (c *component) setIn(path []string, name string) []section {
	set := []section{}
	look := func(kind, file string, manifest section, prefix string, above ...string) {
		value, ok := at(manifest, append(above, path...)...)[name]
		dependency := section{
			"dependency_type":    kind,
			"stack_file":         file,
			"stack_file_section": prefix + strings.Join(path, "."),
			"variable_value":     value,
		}
		if ok && !slices.ContainsFunc(set, func(s section) bool { return reflect.DeepEqual(s, dependency) }) {
			set = append(set, dependency)
		}
	}
	imports := sorted(c.stack.imports)
	for _, component := range append([]string{c.name}, c.bases...) {
		look("inline", c.stack.file, c.stack.manifest, "components.terraform.", "components", "terraform", component)
		for _, file := range imports {
			look("import", file, c.stack.imports[file], "components.terraform.", "components", "terraform", component)
		}
	}
	look("inline", c.stack.file, c.stack.manifest, "terraform.", "terraform")
	look("inline", c.stack.file, c.stack.manifest, "")
	for _, file := range imports {
		look("import", file, c.stack.imports[file], "terraform.", "terraform")
	}
	for _, file := range imports {
		look("import", file, c.stack.imports[file], "")
	}
	return set
}

// deps returns the manifests that the component's final values come from, and those that any of its
// values come from.
func deps(sources section, stackFile string) (deps, all []string) {
	deps, all = []string{}, []string{stackFile}
	for _, key := range sources {
		for _, value := range key.(section) {
			for i, dependency := range value.(section)["stack_dependencies"].([]section) {
				file := dependency["stack_file"].(string)
				all = append(all, file)
				if i == 0 {
					deps = append(deps, file)
				}
			}
		}
	}
	slices.Sort(deps)
	slices.Sort(all)
	return slices.Compact(deps), slices.Compact(all)
}
