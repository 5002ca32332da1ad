// Command demo plays the main job on this machine, without a cloud account: a pull request is planned,
// reviewed and merged, exactly the reviewed planfile is applied, unsafe applies are refused, and
// drift is reverted. It checks all of that, and fails if a step does something else.
//
// Usage: demo [-verbose] -actions FOLDER -sample FOLDER -tools FOLDER
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
	"github.com/terraform-gitops/gitops/test/locate"
)

// oldest is the oldest Terraform that the actions and the sample work with.
const oldest = "1.6"

// options are the command line.
type options struct {
	actions string // folder of the built actions
	sample  string // folder with the repository's first content
	tools   string // folder that Terraform is downloaded into
	verbose bool   // print every summary
}

func main() {
	var o options
	flag.StringVar(&o.actions, "actions", "", "`folder` of the built actions")
	flag.StringVar(&o.sample, "sample", "", "`folder` with the repository to begin with")
	flag.StringVar(&o.tools, "tools", "", "`folder` that Terraform is downloaded into when it is not on PATH")
	flag.BoolVar(&o.verbose, "verbose", false, "print every summary as Markdown")
	flag.Parse()
	if o.actions == "" || o.sample == "" || o.tools == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	s := &screen{out: os.Stdout, colour: colourful(os.Stdout, os.Environ()), verbose: o.verbose}
	if err := run(context.Background(), o, s); err != nil {
		errs := &screen{out: os.Stderr, colour: colourful(os.Stderr, os.Environ())}
		errs.failure(err)
		os.Exit(1)
	}
}

// demo is the world of the story: one folder with a repository, its state, a
// plan store and a runner.
type demo struct {
	dir       string
	actions   string // folder of the built actions
	terraform string // the program
	environ   []string
	runner    *fakerunner.Runner
	store     *planstore.Store
	screen    *screen
	page      *page
	pulls     int

	pull  *pullRequest             // the pull request that was planned last
	plans []planstore.Record       // its plan records
	runs  map[planstore.Target]int // the runs that applied a plan
}

func run(ctx context.Context, o options, s *screen) (err error) {
	began := time.Now()
	s.text("The real actions and the real Terraform, on this machine: no cloud account, no GitHub.")
	for _, folder := range []*string{&o.actions, &o.sample, &o.tools} {
		if *folder, err = filepath.Abs(*folder); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(o.tools, 0o755); err != nil {
		return err
	}
	found, err := locate.Terraform(ctx, locate.Options{AtLeast: oldest, Tools: o.tools, Environ: os.Environ(), Say: s.text})
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "gitops-demo-")
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil { // TMPDIR may be relative
		return err
	}
	backend, err := folder.Open(filepath.Join(dir, "store"))
	if err != nil {
		return err
	}
	store := planstore.New(backend, time.Now)
	environ := environ(os.Environ(), filepath.Dir(found.Path))
	d := &demo{
		dir: dir, actions: o.actions, terraform: found.Path, environ: environ, store: store, screen: s,
		page:   &page{Terraform: found.Version},
		runner: &fakerunner.Runner{Dir: dir, Repository: repository, Actor: "mona", Environ: environ, RunID: 1000},
		runs:   map[planstore.Target]int{},
	}
	s.text(fmt.Sprintf("Terraform %s. Network and service are deployed to two stacks, the old way:", found.Version))
	s.text("terraform apply on somebody's laptop. Then a team takes to pull requests.")
	s.blank()
	err = d.play(ctx, o.sample)
	took := fmt.Sprintf("%.0f s", time.Since(began).Seconds())
	if err == nil {
		d.page.Verdict = fmt.Sprintf("All %d steps did what they must.", len(d.page.Steps))
	} else {
		d.page.Verdict = fmt.Sprintf("Step %d did not do what it must: %v", len(d.page.Steps)+1, err)
	}
	index := filepath.Join(dir, "index.html")
	if pageErr := d.page.write(index); pageErr != nil {
		return errors.Join(err, pageErr)
	}
	if err != nil {
		return fmt.Errorf("%w\nEverything so far is in %s", err, dir)
	}
	s.blank()
	s.verdict(fmt.Sprintf("All %d steps did what they must, in %s.", len(d.page.Steps), took),
		"Each plan was applied once, as the file that was reviewed; three applies were refused.")
	s.blank()
	s.text("Look around in the folder below: workspace/ is the repository, state/ what runs, store/ the plan")
	s.text("store, log-* what each action printed. The summaries and the issue, as GitHub shows them:")
	s.path(index)
	return nil
}

// step is one line of the story.
type step struct {
	title string
	play  func(context.Context) (outcome, error)
}

// outcome is the result of a step.
type outcome struct {
	What    []string // lines
	Right   []string // beside them: a planfile, or the code of a refusal
	Details []string // below
}

func (d *demo) play(ctx context.Context, sample string) error {
	if err := d.begin(ctx, sample); err != nil {
		return err
	}
	night := d.newNight()
	defer night.gh.Close()
	for i, step := range []step{
		{"Plan pull request 41", d.planOne},
		{"Merge it, apply", d.applyOne},
		{"Apply it again", d.applyTwice},
		{"Plan pull request 42", d.planMany},
		{"Merge it, apply both", d.applyMany},
		{"Stored planfile changed", d.tampered},
		{"main moved after the plan", d.baseMoved},
		{"Changed by hand at night", night.detect},
		{"Mona adds the label apply", night.remediate},
	} {
		d.page.begin(i+1, step.title)
		d.screen.heading(step.title)
		out, err := step.play(ctx)
		if err != nil {
			return fmt.Errorf("step %d, %q, did not do what it must: %w", i+1, step.title, err)
		}
		d.page.end(out)
		d.screen.step(i+1, step.title, out)
	}
	return nil
}

var (
	dev     = planstore.Target{Repository: repository, Component: "service", Stack: "acme-ue2-dev"}
	prod    = planstore.Target{Repository: repository, Component: "service", Stack: "acme-ue2-prod"}
	network = planstore.Target{Repository: repository, Component: "network", Stack: "acme-ue2-dev"}
)

const repository = "acme/infrastructure"

func name(t planstore.Target) string { return t.Component + " in " + t.Stack }

// planOne plans a new image for the service in one stack.
func (d *demo) planOne(ctx context.Context) (outcome, error) {
	pr, err := d.openPullRequest(ctx, "new-image", "components/service/acme-ue2-dev.tfvars", "api:1.4.0", "api:1.5.0")
	if err != nil {
		return outcome{}, err
	}
	return d.plan(ctx, pr, "api:1.4.0", "api:1.5.0", dev)
}

func (d *demo) applyOne(ctx context.Context) (outcome, error) {
	out, err := d.merged(ctx, dev)
	if err != nil {
		return outcome{}, err
	}
	out.What = []string{"✔ applied: the file that was reviewed"}
	return out, d.stateHas(dev, "api:1.5.0", "api:1.4.0")
}

// applyTwice runs the apply job once more.
func (d *demo) applyTwice(ctx context.Context) (outcome, error) {
	by := fmt.Sprintf("/runs/%d", d.runs[dev])
	r, err := d.refused(ctx, dev, "GITOPS-APPLIED", by)
	return r.out(fmt.Sprintf("✖ refused: run %d has applied it", d.runs[dev])), err
}

// planMany changes the component's code, which affects the service in both stacks: one job
// plans all that is affected.
func (d *demo) planMany(ctx context.Context) (outcome, error) {
	pr, err := d.openPullRequest(ctx, "spare", "components/service/main.tf", "replicas = var.replicas", "replicas = var.replicas + 1")
	if err != nil {
		return outcome{}, err
	}
	return d.plan(ctx, pr, "2", "3", dev, prod)
}

func (d *demo) applyMany(ctx context.Context) (outcome, error) {
	out, err := d.merged(ctx, dev, prod)
	if err != nil {
		return outcome{}, err
	}
	out.What = []string{"✔ applied: " + name(dev), "✔ applied: " + name(prod)}
	return out, errors.Join(d.stateHas(dev, `"replicas": 3`, ""), d.stateHas(prod, `"replicas": 3`, ""))
}

// tampered changes a stored planfile after its review.
func (d *demo) tampered(ctx context.Context) (outcome, error) {
	pr, err := d.openPullRequest(ctx, "more-replicas", "components/service/acme-ue2-prod.tfvars", "replicas = 2", "replicas = 20")
	if err != nil {
		return outcome{}, err
	}
	if _, err := d.plan(ctx, pr, "3", "21", prod); err != nil {
		return outcome{}, err
	}
	digest, err := d.tamper(d.plans[0])
	if err != nil {
		return outcome{}, err
	}
	if err := d.merge(ctx, pr); err != nil {
		return outcome{}, err
	}
	r, err := d.refused(ctx, prod, "GITOPS-DIGEST-MISMATCH", digest, d.plans[0].Digest)
	return r.out("✖ refused: its SHA-256 is "+short(digest), "reviewed was planfile "+short(d.plans[0].Digest)), err
}

// baseMoved changes the component on main while the pull request is reviewed.
func (d *demo) baseMoved(ctx context.Context) (outcome, error) {
	const moved = "components/network/main.tf"
	pr, err := d.openPullRequest(ctx, "new-range", "components/network/acme-ue2-dev.tfvars", "10.1.0.0", "10.9.0.0")
	if err != nil {
		return outcome{}, err
	}
	if _, err := d.plan(ctx, pr, "10.1.0.0", "10.9.0.0", network); err != nil {
		return outcome{}, err
	}
	if err := d.git(ctx, "checkout", "--quiet", "main"); err != nil {
		return outcome{}, err
	}
	if err := d.replace(moved, "count = 2", "count = 3"); err != nil {
		return outcome{}, err
	}
	if _, err := d.commit(ctx, "Add a subnet"); err != nil {
		return outcome{}, err
	}
	if err := d.merge(ctx, pr); err != nil {
		return outcome{}, err
	}
	r, err := d.refused(ctx, network, "GITOPS-MOVED-CONFIGURATION", moved)
	return r.out("✖ refused: " + moved), err
}

// plan runs the plan action for a pull request. It must store one planfile for each target, and show
// the attribute that changes from one value to another.
func (d *demo) plan(ctx context.Context, pr *pullRequest, from, to string, targets ...planstore.Target) (outcome, error) {
	r, err := d.act(ctx, "plan", pr, inputs(targets))
	if err != nil {
		return outcome{}, err
	}
	if r.failed {
		return outcome{}, r.unexpected("it failed")
	}
	d.plans = nil
	var out outcome
	for _, target := range targets {
		stored, err := d.store.Find(ctx, target, pr.head)
		if err != nil {
			return outcome{}, err
		}
		plan := stored.Record
		if stored.Status != planstore.StatusPlanned || plan.Digest == "" || plan.Run.ID != fmt.Sprint(r.id) {
			return outcome{}, r.unexpected(fmt.Sprintf("the plan of %s is %s", name(target), stored.Status))
		}
		d.plans = append(d.plans, plan)
		out.What = append(out.What, name(target)+": "+counts(plan))
		out.Right = append(out.Right, "planfile "+short(plan.Digest))
	}
	if digest := r.outputs["digest"]; len(targets) == 1 && digest != d.plans[0].Digest || r.outputs["has-changes"] != "true" || r.touched {
		return outcome{}, r.unexpected(fmt.Sprintf("digest is %q, has-changes %q; the state has changed: %t", digest, r.outputs["has-changes"], r.touched))
	}
	if out.Details = change(r.summary, from, to); out.Details == nil {
		return outcome{}, r.unexpected(fmt.Sprintf("the summary does not show the change from %s to %s", from, to))
	}
	d.pull = pr
	return out, nil
}

// merged merges the pull request that was planned last, and runs the apply action for its planfiles.
func (d *demo) merged(ctx context.Context, targets ...planstore.Target) (outcome, error) {
	if err := d.merge(ctx, d.pull); err != nil {
		return outcome{}, err
	}
	r, err := d.act(ctx, "apply", d.pull, inputs(targets))
	if err != nil {
		return outcome{}, err
	}
	if r.failed || r.outputs["status"] != "succeeded" || !r.touched {
		return outcome{}, r.unexpected(fmt.Sprintf("status is %q; the state has changed: %t", r.outputs["status"], r.touched))
	}
	if digest := r.outputs["digest"]; len(targets) == 1 && digest != d.plans[0].Digest {
		return outcome{}, r.unexpected(fmt.Sprintf("it applied planfile %s, not %s", digest, d.plans[0].Digest))
	}
	var out outcome
	for _, plan := range d.plans {
		if err := d.mustBeApplied(ctx, plan, r); err != nil {
			return outcome{}, err
		}
		d.runs[plan.Target] = r.id
		out.Right = append(out.Right, "planfile "+short(plan.Digest))
	}
	return out, nil
}

// mustBeApplied returns an error unless the plan store says that r applied this plan.
func (d *demo) mustBeApplied(ctx context.Context, plan planstore.Record, r ran) error {
	stored, err := d.store.FindRecord(ctx, plan.Target, plan.ID())
	if err != nil {
		return err
	}
	if stored.Status != planstore.StatusApplied || stored.Claim == nil || stored.Claim.Run.ID != fmt.Sprint(r.id) || stored.Record.Digest != plan.Digest {
		return r.unexpected(fmt.Sprintf("the plan of %s is %s", name(plan.Target), stored.Status))
	}
	return nil
}

// refused runs the apply action, which must refuse with exactly this code, print these words, and
// change nothing.
func (d *demo) refused(ctx context.Context, target planstore.Target, code string, words ...string) (ran, error) {
	r, err := d.act(ctx, "apply", d.pull, inputs([]planstore.Target{target}))
	if err != nil {
		return r, err
	}
	r.code = code
	return r, r.mustBeRefused(words)
}

func counts(plan planstore.Record) string {
	c := plan.Counts
	for _, one := range []struct {
		number int
		what   string
	}{{c.Replace, "replace"}, {c.Create, "add"}, {c.Update, "change"}, {c.Delete, "destroy"}} {
		if one.number > 0 {
			return fmt.Sprintf("%d to %s", one.number, one.what)
		}
	}
	return "no changes"
}

func short(digest string) string { return digest[:min(12, len(digest))] }

func inputs(targets []planstore.Target) map[string]string {
	if len(targets) == 1 {
		return map[string]string{"component": targets[0].Component, "stack": targets[0].Stack}
	}
	return map[string]string{}
}
