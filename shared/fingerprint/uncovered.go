package fingerprint

import (
	"iter"
	"maps"
	"path"
	"slices"

	"github.com/terraform-gitops/gitops/shared/fingerprint/references"
)

// Suspects are changed Terraform files that may belong to no target, by their folder.
type Suspects map[string][]string

// SuspectFolders are the changed Terraform files, without those in folders that are known
// to be a target's.
func SuspectFolders(changed []string, known func(folder string) bool) Suspects {
	all := make(Suspects)
	for _, name := range changed {
		dir := path.Dir(name)
		if !known(dir) && references.IsFile(path.Base(name)) && !isProduct(name) {
			all[dir] = append(all[dir], name)
		}
	}
	return all
}

// Without are the folders, sorted, with a file that is in none of the sides.
func (s Suspects) Without(sides iter.Seq[Side]) []string {
	for one := range sides {
		held := func(name string) bool { return holds(one.sums, name) }
		for dir, names := range s {
			if s[dir] = slices.DeleteFunc(names, held); len(s[dir]) == 0 {
				delete(s, dir)
			}
		}
		if len(s) == 0 {
			break
		}
	}
	return slices.Sorted(maps.Keys(s))
}

// holds reports whether a file is one of those that count, or in a folder that counts as a whole.
func holds(sums map[string]sum, name string) bool {
	_, is := sums[name]
	for at := range len(name) {
		if !is && name[at] == '/' {
			_, is = sums[name[:at+1]]
		}
	}
	_, all := sums["./"]
	return is || all
}
