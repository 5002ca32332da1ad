// Command demo plays the main job on this machine, with no cloud account: a
// pull request is planned, reviewed and merged, exactly the planfile that was
// reviewed is applied, and what must be refused is refused.
//
// Usage: demo ACTIONS-FOLDER SAMPLE-FOLDER
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/gha/ghatest"
)

// payload is a pull_request event as GitHub sends it, from the npm package
// @octokit/webhooks-examples (MIT licence).
//
//go:embed pull_request.json
var payload []byte

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: demo ACTIONS-FOLDER SAMPLE-FOLDER (see `make demo`)")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

// demo is the world of the story: one folder with a repository, its state, a
// plan store and a runner.
type demo struct {
	dir     string
	actions string // folder of the built actions
	runner  *ghatest.Runner
	pulls   int
}

func run(ctx context.Context, actions, sample string) error {
	began := time.Now()
	dir, err := os.MkdirTemp("", "gitops-demo-")
	if err != nil {
		return err
	}
	d := &demo{dir: dir, actions: actions, runner: &ghatest.Runner{
		Dir: dir, Repository: "acme/infrastructure", Actor: "mona", Environ: environ(), RunID: 1000,
	}}
	fmt.Printf("Everything this demo makes is in %s\n", dir)
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return d.begin(ctx, sample) },
		d.reviewAndApply, d.applyTwice, d.many, d.tampered, d.baseMoved, d.drift,
	} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("%w (see %s)", err, dir)
		}
	}
	fmt.Printf("\nDone in %.0f s. Look around in %s: workspace/ is the repository, state/ what runs, store/ the plan store.\n", time.Since(began).Seconds(), dir)
	return nil
}

// environ is this process' environment with no Terraform CLI configuration of
// the user's, such as a provider mirror, in it.
func environ() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TF_") && !strings.HasPrefix(v, "AWS_") {
			env = append(env, v)
		}
	}
	return env
}

// begin makes the team's repository, and deploys what it describes.
func (d *demo) begin(ctx context.Context, sample string) error {
	say("A team has a repository with Terraform: components network and service, stacks acme-ue2-dev and acme-ue2-prod.")
	if err := os.CopyFS(d.runner.Workspace(), os.DirFS(sample)); err != nil {
		return err
	}
	if err := d.git(ctx, "init", "--quiet", "--initial-branch=main"); err != nil {
		return err
	}
	if _, err := d.commit(ctx, "Describe our infrastructure"); err != nil {
		return err
	}
	for _, stack := range []string{"acme-ue2-dev", "acme-ue2-prod"} {
		for _, component := range []string{"network", "service"} {
			if err := d.deployByHand(ctx, component, stack); err != nil {
				return err
			}
		}
	}
	fmt.Println("It is deployed already, the old way: terraform apply on somebody's laptop.")
	return nil
}

func (d *demo) reviewAndApply(ctx context.Context) error {
	say("Mona opens a pull request: a new image for the service in acme-ue2-dev. The plan action plans it.")
	pr, err := d.openPullRequest(ctx, "new-image", "components/service/acme-ue2-dev.tfvars", "api:1.4.0", "api:1.5.0")
	if err != nil {
		return err
	}
	if err := d.expect(ctx, "plan", pr, "service", "acme-ue2-dev", ""); err != nil {
		return err
	}
	say("The team reads this, approves and merges. The apply action applies the stored planfile: it does not plan again.")
	if err := d.merge(ctx, pr); err != nil {
		return err
	}
	return d.expect(ctx, "apply", pr, "service", "acme-ue2-dev", "")
}

func (d *demo) applyTwice(ctx context.Context) error {
	say("Somebody runs the apply job once more. A plan is applied once.")
	return d.expect(ctx, "apply", nil, "service", "acme-ue2-dev", "already applied")
}

func (d *demo) many(ctx context.Context) error {
	say("A change of the component's code affects the service in both stacks. One job plans all that is affected, and one applies it.")
	pr, err := d.openPullRequest(ctx, "spare", "components/service/main.tf", "replicas = var.replicas", "replicas = var.replicas + 1")
	if err != nil {
		return err
	}
	if err := d.expect(ctx, "plan", pr, "", "", ""); err != nil {
		return err
	}
	if err := d.merge(ctx, pr); err != nil {
		return err
	}
	return d.expect(ctx, "apply", pr, "", "", "")
}

func (d *demo) tampered(ctx context.Context) error {
	say("Another pull request: more replicas in acme-ue2-prod. After the review, somebody changes the stored planfile.")
	pr, err := d.openPullRequest(ctx, "more-replicas", "components/service/acme-ue2-prod.tfvars", "replicas = 2", "replicas = 20")
	if err != nil {
		return err
	}
	if err := d.quietly(ctx, "plan", pr, "service", "acme-ue2-prod"); err != nil {
		return err
	}
	if err := d.tamper(pr.head); err != nil {
		return err
	}
	if err := d.merge(ctx, pr); err != nil {
		return err
	}
	return d.expect(ctx, "apply", pr, "service", "acme-ue2-prod", "digest mismatch")
}

func (d *demo) baseMoved(ctx context.Context) error {
	say("A third pull request: another address range for the network in acme-ue2-dev. While it is reviewed, main moves under it.")
	pr, err := d.openPullRequest(ctx, "new-range", "components/network/acme-ue2-dev.tfvars", "10.1.0.0", "10.9.0.0")
	if err != nil {
		return err
	}
	if err := d.quietly(ctx, "plan", pr, "network", "acme-ue2-dev"); err != nil {
		return err
	}
	if err := d.git(ctx, "checkout", "--quiet", "main"); err != nil {
		return err
	}
	if err := d.replace("components/network/main.tf", "count = 2", "count = 3"); err != nil {
		return err
	}
	if _, err := d.commit(ctx, "Add a subnet"); err != nil {
		return err
	}
	if err := d.merge(ctx, pr); err != nil {
		return err
	}
	return d.expect(ctx, "apply", pr, "network", "acme-ue2-dev", "differs from the planned one")
}

// expect runs an action, shows its summary, and checks that it succeeds, or
// fails with refusal in its log.
func (d *demo) expect(ctx context.Context, action string, pr *pullRequest, component, stack, refusal string) error {
	step, log, err := d.act(ctx, action, pr, component, stack)
	if step == nil {
		return err
	}
	summary, readErr := step.Summary()
	if readErr != nil {
		return readErr
	}
	fmt.Printf("\n   uses: ./actions/%s", action)
	if component != "" {
		fmt.Printf("   component: %s   stack: %s", component, stack)
	}
	fmt.Print("\n\n")
	show(summary)
	switch {
	case refusal == "" && err != nil:
		return fmt.Errorf("%s of %s in %s failed: %w\n%s", action, component, stack, err, log)
	case refusal != "" && err == nil:
		return fmt.Errorf("%s of %s in %s was not refused", action, component, stack)
	case refusal != "" && !strings.Contains(log, refusal):
		return fmt.Errorf("%s of %s in %s was not refused for %q:\n%s", action, component, stack, refusal, log)
	}
	return nil
}

func (d *demo) quietly(ctx context.Context, action string, pr *pullRequest, component, stack string) error {
	step, log, err := d.act(ctx, action, pr, component, stack)
	if step != nil && err != nil {
		err = fmt.Errorf("%s of %s in %s failed: %w\n%s", action, component, stack, err, log)
	}
	return err
}

// act runs an action's binary as a step of a new workflow run. Without a pull
// request, the last event happens again.
func (d *demo) act(ctx context.Context, action string, pr *pullRequest, component, stack string) (*ghatest.Step, string, error) {
	d.runner.RunID++
	if pr != nil {
		if err := d.event(pr); err != nil {
			return nil, "", err
		}
	}
	step, err := d.runner.Step(map[string]string{"component": component, "stack": stack})
	if err != nil {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(d.actions, action))
	cmd.Env = step.Environ
	out, err := cmd.CombinedOutput()
	logFile := filepath.Join(d.dir, fmt.Sprintf("log-%d-%s.txt", d.runner.RunID, action))
	if writeErr := os.WriteFile(logFile, out, 0o600); writeErr != nil {
		return nil, "", errors.Join(err, writeErr)
	}
	return step, string(out), err
}

// tamper changes one byte in the middle of the planfile stored for commit.
func (d *demo) tamper(commit string) error {
	return filepath.WalkDir(filepath.Join(d.dir, "store"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".tfplan") || !strings.Contains(path, commit) {
			return err
		}
		planfile, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		planfile[len(planfile)/2] ^= 1
		return os.WriteFile(path, planfile, 0o600)
	})
}

func say(text string) { fmt.Printf("\n\033[1m== %s\033[0m\n", text) }

// show prints a summary as the page would begin: collapsed sections stay collapsed.
func show(markdown string) {
	open := 0
	for line := range strings.Lines(markdown) {
		line = strings.TrimRight(line, "\n")
		open += strings.Count(line, "<details")
		if (open == 0 || strings.Contains(line, "<summary")) && !strings.HasPrefix(line, "<!--") { // which a page does not show
			fmt.Println("   | " + line)
		}
		open -= strings.Count(line, "</details>")
	}
}

// deployByHand applies a component as the team did before.
func (d *demo) deployByHand(ctx context.Context, component, stack string) error {
	data, err := os.MkdirTemp(d.dir, "by-hand-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	for _, args := range [][]string{
		{"init", "-input=false", fmt.Sprintf("-backend-config=path=../../../state/%s/%s.tfstate", stack, component)},
		{"apply", "-input=false", "-auto-approve", "-var-file=" + stack + ".tfvars"},
	} {
		cmd := exec.CommandContext(ctx, "terraform", args...)
		cmd.Dir = filepath.Join(d.runner.Workspace(), "components", component)
		cmd.Env = append(environ(), "TF_DATA_DIR="+data)
		var log bytes.Buffer
		cmd.Stdout, cmd.Stderr = &log, &log
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("terraform %s for %s in %s: %w\n%s", args[0], component, stack, err, log.String())
		}
	}
	return nil
}
