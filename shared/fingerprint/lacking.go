package fingerprint

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// lack is why something that Git tracks, and that a target reads, is not in the
// workspace.
type lack string

const (
	lackSubmodule lack = "submodule"
	lackSparse    lack = "sparse"
	lackDeleted   lack = "deleted"
	lackContent   lack = "lfs"
)

// lacking are the files that a target reads and the workspace lacks, by path.
type lacking map[string]lack

// LackingError says which files of a target the checkout lacks. Terraform would plan to
// destroy what they configure.
type LackingError struct {
	what lacking
}

// Code is [problem.Checkout].
func (e *LackingError) Code() problem.Code { return problem.Checkout }

// remedy says what is wrong, and what to do about it.
var remedy = map[lack][2]string{
	lackSubmodule: {"is a submodule that is not checked out", "set `submodules: true` of actions/checkout, or `recursive` if it is in another submodule"},
	lackSparse:    {"is tracked by Git and outside of the sparse checkout", "add its folder to `sparse-checkout` of actions/checkout, or leave that input out"},
	lackDeleted:   {"is tracked by Git and is not in the workspace", "check out again after the step that deleted it, or delete it in Git, too"},
	lackContent:   {"is a pointer of Git LFS, whose content is not checked out", "set `lfs: true` of actions/checkout"},
}

func (e *LackingError) Error() string {
	var lines []string
	for _, kind := range []lack{lackSubmodule, lackSparse, lackDeleted, lackContent} {
		var names []string
		for name, why := range e.what {
			if why == kind {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			continue
		}
		slices.Sort(names)
		more := ""
		if len(names) > 1 {
			more = fmt.Sprintf(", and so are %d more", len(names)-1)
			if len(names) == 2 {
				more = fmt.Sprintf(", and so is %s", problem.Quote(names[1]))
			}
		}
		lines = append(lines, fmt.Sprintf("%s %s%s: %s", problem.Quote(names[0]), remedy[kind][0], more, remedy[kind][1]))
	}
	return "the checkout lacks what it reads: " + strings.Join(lines, "; ")
}

// Lacks is a [*LackingError] if the workspace lacks a target's folder, or a file that it
// names, and Git tracks that; else nil.
func (f *Files) Lacks(t inventory.Target) error {
	m := f.count()
	for _, name := range append(t.Files(), t.Dir) {
		m.lackAt(name)
	}
	if len(m.lacks) == 0 {
		return nil
	}
	return &LackingError{m.lacks}
}

// LeftOut tells that a sparse checkout leaves out all of a target's root module, and that the
// target is the same as at the base: now and then are its sides.
func (f *Files) LeftOut(t inventory.Target, now, then Side, was *Files) bool {
	return f.isOutside(t) && then.dir == now.dir && f.sameObjects(then.dir, then, was) && settingsEqual(now, then)
}

// isOutside tells that nothing of a target's root module is in a sparse checkout.
func (f *Files) isOutside(t inventory.Target) bool {
	for _, name := range git.Below(f.index.Names, t.Dir) {
		if !f.index.Objects[name].Sparse {
			return false
		}
	}
	return len(git.Below(f.index.Names, t.Dir)) > 0
}

// sameObjects tells whether all files that a target had at the base are the same in the index.
// The workspace lacks them.
func (f *Files) sameObjects(dir string, before Side, was *Files) bool {
	same := func(name string) bool {
		a, is := f.index.Objects[name]
		b, was := was.index.Objects[name]
		return is == was && a.ID == b.ID
	}
	for name := range before.sums {
		if folder, is := strings.CutSuffix(name, "/"); is {
			for _, one := range append(slices.Clone(git.Below(was.index.Names, folder)), git.Below(f.index.Names, folder)...) {
				if !same(one) {
					return false
				}
			}
		} else if !same(name) {
			return false
		}
	}
	for _, name := range git.Below(f.index.Names, dir) {
		if !same(name) && !isOptional(path.Base(name)) {
			return false
		}
	}
	return before.Err == nil
}

// isPointer tells that a file is a pointer, which Git LFS keeps instead of the content.
// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
func isPointer(start []byte) bool {
	return strings.HasPrefix(string(start), "version https://git-lfs.github.com/spec/v1\n")
}
