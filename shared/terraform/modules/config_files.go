package modules

import (
	"os"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/terraform/program"
)

// ConfigFiles lists the files of a folder that the program of the given name loads as
// configuration, tests left out, by Terraform's and OpenTofu's rules
// (configs.Parser.dirFiles in both).
func ConfigFiles(dir, loadedBy string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	tofu := map[string]bool{}
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || ignored(name) {
			continue
		}
		switch {
		case strings.HasSuffix(name, ".tf"), strings.HasSuffix(name, ".tf.json"):
			names = append(names, name)
		case loadedBy == program.OpenTofu && (strings.HasSuffix(name, ".tofu") || strings.HasSuffix(name, ".tofu.json")):
			names = append(names, name)
			tofu[name] = true
		}
	}
	// OpenTofu reads x.tofu instead of x.tf.
	return slices.DeleteFunc(names, func(name string) bool {
		base, jsonFile := strings.CutSuffix(name, ".json")
		base, tf := strings.CutSuffix(base, ".tf")
		if jsonFile {
			return tf && tofu[base+".tofu.json"]
		}
		return tf && tofu[base+".tofu"]
	}), nil
}

// ignored reports whether a name is that of a hidden file or of an editor's backup.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") ||
		strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#")
}
