package fingerprint

import (
	"path"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/fingerprint/references"
)

const (
	// DataFolder is the name of Terraform's data folder.
	DataFolder = ".terraform"
	lockFile   = ".terraform.lock.hcl"
)

// split divides the sorted files in a module's folder and its subfolders. Those in count always
// count. The others count only if an expression reads them: files in a subfolder with
// Terraform files, which is another module; README and var files; and, if the root module is
// at the repository's root, all that Terraform does not read itself.
func (folder moduleFolder) split(names []string) (count, others []string) {
	nested := make(map[string]bool)
	for _, name := range names {
		if dir := path.Dir(checkout.RelativeTo(folder.name, name)); dir != "." && references.IsFile(name) && !folder.whole {
			nested[dir] = true
		}
	}
	inNested := func(rel string) bool {
		for dir := path.Dir(rel); dir != "."; dir = path.Dir(dir) {
			if nested[dir] {
				return true
			}
		}
		return false
	}
	for _, name := range names {
		rel := checkout.RelativeTo(folder.name, name)
		loaded := folder.root && isAutoLoaded(rel)
		all := folder.root && folder.name == "." && !folder.whole // the repository, of which Terraform reads little by itself
		switch {
		case inNested(rel), isOptional(path.Base(rel)) && !loaded, all && !loaded && rel != lockFile && (!references.IsFile(rel) || strings.Contains(rel, "/")):
			others = append(others, name)
		default:
			count = append(count, name)
		}
	}
	return count, others
}

// pathSet is a set of paths that are read. Each is a file, or a folder with all files in it.
type pathSet map[string]bool

// holds tells whether the path, or a folder that it lies in, is in the set.
func (n pathSet) holds(rel string) bool {
	for ; rel != "."; rel = path.Dir(rel) {
		if n[rel] {
			return true
		}
	}
	return false
}

// isProduct tells that a file is no part of any configuration: Terraform or Git writes it, or
// it belongs to the workflows. gitops.yaml counts by the settings that a target has from it.
func isProduct(rel string) bool {
	return rel == "gitops.yaml" || strings.HasPrefix(rel, ".github/") || isWritten(rel)
}

// isWritten tells that Terraform or Git writes a file.
func isWritten(rel string) bool {
	segments := strings.Split(rel, "/")
	base := segments[len(segments)-1]
	if slices.Contains(segments, DataFolder) || slices.Contains(segments, ".git") {
		return true
	}
	if references.IsFile(base) {
		return false // such as x.tfstate.tf, which Terraform reads
	}
	for _, pattern := range []string{"*.tfstate", "*.tfstate.*", "*.tfplan", "crash.log", "crash.*.log"} {
		if ok, _ := path.Match(pattern, base); ok {
			return true
		}
	}
	return false
}

// IsGenerated tells that Atmos writes a file into a root module's folder. It writes settings
// there, which count by themselves. rel is relative to that folder.
// https://atmos.tools/components/terraform/backends/
func IsGenerated(rel string) bool {
	return rel == "backend.tf.json" || rel == "providers_override.tf.json" ||
		!strings.Contains(rel, "/") && (strings.HasSuffix(rel, ".terraform.tfvars.json") || strings.HasSuffix(rel, ".planfile"))
}

// isOptional tells that a file is for people, or for the targets that name it.
func isOptional(base string) bool { return isReadme(base) || isVarFile(base) }

func isReadme(base string) bool {
	lower := strings.ToLower(base)
	return lower == "readme" || strings.HasPrefix(lower, "readme.")
}

func isVarFile(base string) bool {
	return strings.HasSuffix(base, ".tfvars") || strings.HasSuffix(base, ".tfvars.json") || strings.HasSuffix(base, ".tfbackend")
}

// isAutoLoaded tells that Terraform loads a var file in the root module's folder by itself.
func isAutoLoaded(rel string) bool {
	return !strings.Contains(rel, "/") && (rel == "terraform.tfvars" || rel == "terraform.tfvars.json" ||
		strings.HasSuffix(rel, ".auto.tfvars") || strings.HasSuffix(rel, ".auto.tfvars.json"))
}
