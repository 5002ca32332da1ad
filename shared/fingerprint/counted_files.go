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

// split chooses, from the sorted files of a module's folder and its subfolders, those
// that count whatever its expressions say. The others are known to count only where they
// are read: Terraform files in a subfolder, which are those of another module; README
// and var files; and, where the root module is at the repository's root, all but what
// Terraform itself reads there.
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

// pathSet is a set of paths in a folder that are read, each a file or all in a folder.
type pathSet map[string]bool

// holds tells whether a path, or a folder that it lies in, is among them.
func (n pathSet) holds(rel string) bool {
	for ; rel != "."; rel = path.Dir(rel) {
		if n[rel] {
			return true
		}
	}
	return false
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
	if slices.Contains(segments, DataFolder) || slices.Contains(segments, ".git") {
		return true
	}
	if references.IsFile(base) {
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
func isOptional(base string) bool { return isReadme(base) || isVarFile(base) }

func isReadme(base string) bool {
	lower := strings.ToLower(base)
	return lower == "readme" || strings.HasPrefix(lower, "readme.")
}

func isVarFile(base string) bool {
	return strings.HasSuffix(base, ".tfvars") || strings.HasSuffix(base, ".tfvars.json") || strings.HasSuffix(base, ".tfbackend")
}

// isAutoLoaded tells the var files that Terraform loads by itself from the
// root module folder.
func isAutoLoaded(rel string) bool {
	return !strings.Contains(rel, "/") && (rel == "terraform.tfvars" || rel == "terraform.tfvars.json" ||
		strings.HasSuffix(rel, ".auto.tfvars") || strings.HasSuffix(rel, ".auto.tfvars.json"))
}
