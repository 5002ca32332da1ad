package target

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

const (
	dataFolder = ".terraform"
	lockFile   = ".terraform.lock.hcl"
)

// isConfiguration tells by its name whether Terraform or OpenTofu reads a
// file as part of the module it lies in.
func isConfiguration(name string) bool {
	for _, ext := range []string{".tf", ".tf.json", ".tofu", ".tofu.json"} {
		if strings.HasSuffix(name, ext) {
			return true
		}
	}
	return false
}

// counted chooses, from the sorted files of a module's folder and its
// subfolders, those that shape the plan. Any file may, since the configuration
// may read it; but some are known not to. configuration is the text of the
// module's Terraform files: what they mention always counts.
func counted(folder moduleFolder, names []string, configuration []byte) []string {
	mentioned := func(text string) bool { return bytes.Contains(configuration, []byte(text)) }
	relative := func(name string) string { return relativeTo(folder.name, name) }

	// A subfolder with Terraform files is another module: it counts when it is
	// called, or when its files are read from here.
	modules := make(map[string]bool)
	for _, name := range names {
		if dir := path.Dir(relative(name)); dir != "." && isConfiguration(name) && !folder.whole {
			modules[dir] = true
		}
	}
	for dir := range modules {
		if mentioned(dir + "/") {
			delete(modules, dir)
		}
	}

	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		rel := relative(name)
		for dir := path.Dir(rel); dir != "."; dir = path.Dir(dir) {
			if modules[dir] {
				return true
			}
		}
		base := path.Base(rel)
		return isOptional(base) && !(folder.root && base == rel && isAutoLoaded(base)) && !mentioned(base)
	})
}

// relativeTo is a name in a folder, as it is called there.
func relativeTo(folder, name string) string {
	if folder == "." {
		return name
	}
	return strings.TrimPrefix(name, folder+"/")
}

// isProduct tells what Terraform writes, and what the machinery around it
// keeps beside the configuration. (What gitops.yaml says to a target is in the
// target's settings.)
func isProduct(rel string) bool {
	return rel == "gitops.yaml" || strings.HasPrefix(rel, ".github/") || isWritten(rel)
}

// isWritten tells what Terraform and Git write.
func isWritten(rel string) bool {
	segments := strings.Split(rel, "/")
	base := segments[len(segments)-1]
	if slices.Contains(segments, dataFolder) || slices.Contains(segments, ".git") {
		return true
	}
	if isConfiguration(base) {
		return false // x.tfstate.tf is read, whatever it is
	}
	for _, pattern := range []string{"*.tfstate", "*.tfstate.*", "*.tfplan", "crash.log", "crash.*.log"} {
		if ok, _ := path.Match(pattern, base); ok {
			return true
		}
	}
	return false
}

// IsGenerated tells what Atmos writes into a root module's folder, of settings that
// count by themselves; rel is relative to it.
// https://atmos.tools/components/terraform/backends/
func IsGenerated(rel string) bool {
	return rel == "backend.tf.json" || rel == "providers_override.tf.json" ||
		!strings.Contains(rel, "/") && (strings.HasSuffix(rel, ".terraform.tfvars.json") || strings.HasSuffix(rel, ".planfile"))
}

// isOptional tells what is written for people, or for the targets that name
// it.
func isOptional(base string) bool {
	lower := strings.ToLower(base)
	return lower == "readme" || strings.HasPrefix(lower, "readme.") ||
		strings.HasSuffix(base, ".tfvars") || strings.HasSuffix(base, ".tfvars.json") || strings.HasSuffix(base, ".tfbackend")
}

// isAutoLoaded tells the var files that Terraform loads by itself from the
// root module folder.
func isAutoLoaded(base string) bool {
	return base == "terraform.tfvars" || base == "terraform.tfvars.json" ||
		strings.HasSuffix(base, ".auto.tfvars") || strings.HasSuffix(base, ".auto.tfvars.json")
}
