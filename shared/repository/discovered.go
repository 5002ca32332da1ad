package repository

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory/gitops"
)

// maxDiscovered is the maximal size of the output `discovered`, in bytes.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idoutputs
const maxDiscovered = 1 << 20

// Discovered lists as JSON the targets that gitops.yaml does not list and `discover` found: their
// component, stack and path. It is empty if there is nothing to find, and if the list is too long
// for an output: the log has it.
func (rp *Repository) Discovered(ctx context.Context) (string, error) {
	source, is := rp.targets.(*gitopsTargets)
	if !is {
		return "", nil
	}
	config, err := source.load(ctx)
	if err != nil || config.Discovery() == nil {
		return "", err
	}
	type found struct {
		Component string `json:"component"`
		Stack     string `json:"stack"`
		Path      string `json:"path"`
	}
	all := []found{}
	for _, f := range config.Discovery().Found {
		all = append(all, found{f.Component, f.Stack, f.Folder})
	}
	text, err := json.Marshal(all)
	if len(text) > maxDiscovered {
		return "", err
	}
	return string(text), err
}

// mostNamed is how many folders an annotation names. The log has all of them.
const mostNamed = 5

// tellDiscovery says what `discover` found, and what looks as if it should have been found.
func tellDiscovery(r *gha.Runtime, file string, d *gitops.Discovery) {
	if d == nil {
		return
	}
	logDiscovery(r, file, d)
	for _, p := range d.Unmatched {
		if strings.HasPrefix(p, "!") {
			r.Notice(gha.Annotation{Message: fmt.Sprintf("%s: the pattern %s of `discover` excludes no folder with Terraform files.", file, p)})
		} else {
			r.Warning(gha.Annotation{Message: fmt.Sprintf("%s: no root module matches the pattern %s of `discover`.", file, p)})
		}
	}
	var left []string
	for _, l := range d.Left {
		if !l.Asked {
			left = append(left, fmt.Sprintf("%s (%s)", l.Folder, l.Why))
		}
	}
	if len(left) == 0 {
		return
	}
	named, more := left[:min(len(left), mostNamed)], ""
	if len(left) > mostNamed {
		more = fmt.Sprintf("; and %d more, which the log names", len(left)-mostNamed)
	}
	r.Notice(gha.Annotation{Message: fmt.Sprintf("Folders that look like root modules and belong to no target of %s, so nothing plans them: %s%s.", file, strings.Join(named, "; "), more)})
}

func logDiscovery(r *gha.Runtime, file string, d *gitops.Discovery) {
	log := r.Group(file + ": root modules that were found")
	defer log.Close()
	for _, f := range d.Found {
		fmt.Fprintf(log, "%s: %s\n", f.Folder, f.Name)
	}
	for _, l := range d.Left {
		fmt.Fprintf(log, "%s: no target, since %s\n", l.Folder, l.Why)
	}
}
