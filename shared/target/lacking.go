package target

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

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

// lacking is what a target reads and the workspace lacks, by path.
type lacking map[string]lack

// LackingError says what of a target the checkout does not have. Terraform would plan to
// destroy what it can't see.
type LackingError struct {
	what lacking
}

// Code is that of a wrong checkout.
func (e *LackingError) Code() problem.Code { return problem.Checkout }

// remedy says what to do about each kind.
var remedy = map[lack][2]string{
	lackSubmodule: {"is a submodule that is not checked out", "set `submodules: true` of actions/checkout, or `recursive` where it lies in another one"},
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
				more = fmt.Sprintf(", and so is %s", quote(names[1]))
			}
		}
		lines = append(lines, fmt.Sprintf("%s %s%s: %s", quote(names[0]), remedy[kind][0], more, remedy[kind][1]))
	}
	return "the checkout lacks what it reads: " + strings.Join(lines, "; ")
}

// Lacking is a [*LackingError] where the workspace lacks the root module's folder of a
// target, or a file that it names, and Git tracks it; else nil.
func (c *Config) Lacking(ctx context.Context, tracked *Tracked, name Name) error {
	r, known := targetsByName(c)[name]
	if !known {
		return nil
	}
	f, err := openFiles(ctx, c.checkout, tracked)
	if err != nil {
		return err
	}
	if what := f.lackOf(r); len(what) > 0 {
		return fmt.Errorf("%s: %w", name, &LackingError{what})
	}
	return nil
}

// lackOf is what of a target's own folder and files the workspace lacks.
func (f *files) lackOf(r resolver) lacking {
	m := f.tree()
	t, err := r.target()
	if err != nil {
		return nil
	}
	for _, name := range append(t.files(), t.Dir) {
		m.lackAt(name)
	}
	return m.lacks
}

// isOutside tells that nothing of a target's root module is in a sparse checkout.
func (f *files) isOutside(r resolver) bool {
	t, err := r.target()
	if err != nil {
		return false
	}
	for _, name := range below(f.index.names, t.Dir) {
		if !f.index.objects[name].sparse {
			return false
		}
	}
	return len(below(f.index.names, t.Dir)) > 0
}

// sameObjects tells whether all that a target had at the base is the same in the index,
// where the workspace lacks it.
func (f *files) sameObjects(dir string, before side, was *files) bool {
	same := func(name string) bool {
		a, is := f.index.objects[name]
		b, was := was.index.objects[name]
		return is == was && a.id == b.id
	}
	for name := range before.sums {
		if folder, is := strings.CutSuffix(name, "/"); is {
			for _, one := range append(slices.Clone(below(was.index.names, folder)), below(f.index.names, folder)...) {
				if !same(one) {
					return false
				}
			}
		} else if !same(name) {
			return false
		}
	}
	for _, name := range below(f.index.names, dir) {
		if !same(name) && !isOptional(path.Base(name)) {
			return false
		}
	}
	return before.err == nil
}

// isPointer tells the file that Git LFS keeps in the place of a content.
// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
func isPointer(start []byte) bool {
	return strings.HasPrefix(string(start), "version https://git-lfs.github.com/spec/v1\n")
}
